"""Where photos and clips come from: files, folders, lists of them, object stores."""

"""The competition's files and photos: archives, layouts, copies, folds, and photos as model input."""

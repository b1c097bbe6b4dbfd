"""What every room shares: classes, errors, parameters, paths, tables, files, progress."""

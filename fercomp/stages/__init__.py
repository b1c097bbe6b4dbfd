"""What each command of the pipeline does; a stage reads files, calls the library and writes files."""

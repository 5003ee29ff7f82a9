// Stands for a library that the command line has no use for.

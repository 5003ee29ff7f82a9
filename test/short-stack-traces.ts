// Jest sets it to 100, and looks each line up in source maps.
Error.stackTraceLimit = 10;

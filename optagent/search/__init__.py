"""The algorithm: ask for a candidate, have it judged, tell. Prints nothing, opens no file, names no provider."""

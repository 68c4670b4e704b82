"""What can be told of a function from its text: what names hold, what a piece of it does, what stays the same."""

"""One call to one model: messages in, a reply with its usage and its cost out. Knows nothing about code or speed."""

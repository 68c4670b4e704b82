"""Which function a person means, and which functions of a project can be targets."""

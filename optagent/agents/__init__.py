"""Coder and Judge: from facts to a prompt, from a reply to an edit or to advice. They see no held-out input and change
no verdict."""

"""Which things belong together, told in pairs: messages of one thread, several addresses of one person.

Mail names the message it answers, and an outreach tool names one person by address in one place and by number in
another. Each such pair joins two groups; what is left at the end are the threads, or the people.
"""

from __future__ import annotations


class Groups:
    """Groups of names that grow together pair by pair (union-find).

    >>> groups = Groups()
    >>> groups.join("reply", "first")
    >>> groups.join("second reply", "reply")
    >>> groups.of("second reply") == groups.of("first"), groups.of("another")
    (True, 'another')
    """

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Return the name that stands for the group of ``name``; a name never joined stands for itself."""
        top = name
        while (above := self._parent.get(top, top)) != top:
            top = above
        while (above := self._parent.get(name, name)) != top:
            self._parent[name] = top
            name = above
        return top

    def join(self, name: str, other: str) -> None:
        """Put two groups together; the group of ``other`` gives the name."""
        top, onto = self.of(name), self.of(other)
        if top != onto:
            self._parent[top] = onto

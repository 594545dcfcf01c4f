"""What the resources of this package share: references, fields of bodies, and the search of lists."""

from typing import Annotated

from pydantic import Field

from keyadmin.web.rest import PageQuery, RowId, Shape

Name = Annotated[str, Field(min_length=1, max_length=80)]
LongName = Annotated[str, Field(min_length=1, max_length=150)]
Description = Annotated[str, Field(max_length=2000)]
Email = Annotated[str, Field(max_length=254)]
Ids = Annotated[list[RowId], Field(max_length=200)]


class NamedRef(Shape):
    """A group or a policy."""

    id: int
    name: str


class SearchQuery(PageQuery):
    search: Annotated[str, Field(max_length=200)] = ""

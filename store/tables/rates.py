"""How far the rates that several gateways share are used up."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class RateMarkRow(Base):
    """When a whole burst is free again under a name; without a row it is."""

    __tablename__ = "rate_marks"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    full_at_us: Mapped[int] = mapped_column(BigInteger)
    """Microseconds since 1970, by the database's clock."""

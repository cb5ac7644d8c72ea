"""The definition and the migrations say the same, and PostgreSQL takes both."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from sekisho.store.migrate import ensure_schema
from sekisho.store.schema import metadata


def test_migrations_make_what_is_defined(tmp_path):
    database = tmp_path / "sekisho.db"
    ensure_schema(database)
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_postgresql_compiles_it(table):
    dialect = postgresql.dialect()
    assert f"CREATE TABLE {table.name}" in str(CreateTable(table).compile(dialect=dialect))
    for index in table.indexes:
        assert f"CREATE INDEX {index.name}" in str(CreateIndex(index).compile(dialect=dialect))


def test_only_tables_that_are_all_key_do_without_rowid():
    without = {
        table.name for table in metadata.sorted_tables if table.dialect_options["sqlite"]["with_rowid"] is False
    }
    assert without == {"audit_address", "audit_finding", "kept_address", "seen_site"}

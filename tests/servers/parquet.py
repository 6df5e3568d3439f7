"""Says what other programs find in a Parquet file, as one line of JSON.

Usage:  parquet.py FILE

"pyarrow": a list of [name, physical type, logical type, whether it may be null]; "duckdb": the same as DuckDB sees it,
[name, type, repetition, logical type]; "rows": all rows as DuckDB reads them, times in microseconds since 1970.
"""

import json
import sys

import duckdb
import pyarrow.parquet

path = sys.argv[1]
schema = pyarrow.parquet.ParquetFile(path).schema
columns = [schema.column(index) for index in range(len(schema))]
arrow = schema.to_arrow_schema()
found = duckdb.sql(
    "select name, type, repetition_type, logical_type from parquet_schema(?) where type is not null", params=[path]
)
data = duckdb.sql("select * from read_parquet(?, hive_partitioning = false)", params=[path])
names = data.columns
times = [name for name, type in zip(names, data.types) if str(type).startswith("TIMESTAMP")]
data = data.project(", ".join(f'epoch_us("{name}") as "{name}"' if name in times else f'"{name}"' for name in names))
answer = {
    "pyarrow": [
        [column.name, column.physical_type, str(column.logical_type), arrow.field(index).nullable]
        for index, column in enumerate(columns)
    ],
    "duckdb": found.fetchall(),
    "rows": [dict(zip(names, row)) for row in data.fetchall()],
}
print(json.dumps(answer))

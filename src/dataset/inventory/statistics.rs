//! What the footer of a Parquet file says of its columns, so that they need not be read.

use polars_parquet::parquet::statistics::{BinaryStatistics, BooleanStatistics, PrimitiveStatistics, Statistics};
use polars_parquet::read::{FileMetadata, RowGroupMetadata};

/// What the statistics of a column say about its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// It is below 2^31, whichever rows are added up.
    Narrow,
    Wide,
}

/// `None` for a counter that is 0 or null in every row; [`Width::Wide`] where the statistics do not say more.
pub(super) fn width(footer: &FileMetadata, name: &str) -> Option<Width> {
    let groups = footer.row_groups.iter().map(|group| most(footer, group, name));
    match groups.sum::<Option<i64>>() {
        Some(0) => None,
        Some(most) if i32::try_from(most).is_ok() => Some(Width::Narrow),
        Some(_) | None => Some(Width::Wide),
    }
}

/// From where to where its values go; `None` where the statistics do not say it of every row group. What is null everywhere
/// goes nowhere.
pub(super) fn range(footer: &FileMetadata, name: &str) -> Option<(i64, i64)> {
    let ends = footer.row_groups.iter().map(|group| {
        let column = group.columns_under_root_iter(name)?.next()?;
        match column.statistics(&footer.footer_buf)?.ok()? {
            Statistics::Int32(PrimitiveStatistics { min_value: Some(least), max_value: Some(most), .. }) => {
                Some((i64::from(least), i64::from(most)))
            }
            Statistics::Int32(PrimitiveStatistics { null_count: Some(nulls), .. }) => {
                (usize::try_from(nulls).ok()? == group.num_rows()).then_some((0, 0))
            }
            _ => None,
        }
    });
    let ends = ends.collect::<Option<Vec<_>>>()?;
    Some(ends.into_iter().fold((0, 0), |(least, most), (a, b)| (least.min(a), most.max(b))))
}

/// Whether the statistics say that it is true nowhere.
pub(super) fn is_false(footer: &FileMetadata, name: &str) -> bool {
    footer.row_groups.iter().all(|group| {
        let column = group.columns_under_root_iter(name).and_then(|mut columns| columns.next());
        let statistics = column.and_then(|column| column.statistics(&footer.footer_buf));
        matches!(statistics, Some(Ok(Statistics::Boolean(BooleanStatistics { max_value: Some(false), .. }))))
    })
}

/// Whether the statistics say that this text stands in every row.
pub(super) fn is_everywhere(footer: &FileMetadata, name: &str, text: &str) -> bool {
    footer.row_groups.iter().all(|group| {
        let column = group.columns_under_root_iter(name).and_then(|mut columns| columns.next());
        let statistics = column.and_then(|column| column.statistics(&footer.footer_buf));
        let Some(Ok(Statistics::Binary(BinaryStatistics { null_count: Some(0), min_value, max_value, .. }))) =
            statistics
        else {
            return false;
        };
        [min_value, max_value].iter().all(|end| end.as_deref() == Some(text.as_bytes()))
    })
}

/// What a counter adds up to at most in a row group.
fn most(footer: &FileMetadata, group: &RowGroupMetadata, name: &str) -> Option<i64> {
    let rows = i64::try_from(group.num_rows()).ok()?;
    let column = group.columns_under_root_iter(name)?.next()?;
    match column.statistics(&footer.footer_buf)?.ok()? {
        Statistics::Int32(PrimitiveStatistics { null_count: Some(nulls), .. }) if nulls == rows => Some(0),
        Statistics::Int32(PrimitiveStatistics { min_value: Some(0..), max_value: Some(most), .. }) => {
            i64::from(most).checked_mul(rows)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars::df;
    use polars::prelude::{DataFrame, ParquetWriter, StatisticsOptions};
    use polars_parquet::read::read_metadata;

    use super::*;

    #[test]
    fn statistics_say_what_need_not_be_read_and_what_cannot_overflow() {
        let mut frame = df!(
            "nothing" => [Some(0), None, Some(0), Some(0)],
            "unknown" => [None::<i32>, None, None, None],
            "few" => [Some(7), None, Some(1_000), Some(0)],
            "many" => [Some(i32::MAX), Some(1), None, Some(0)],
            "below" => [Some(-1), Some(0), Some(0), Some(0)],
            "one" => ["run", "run", "run", "run"],
            "other" => [Some("run"), Some("run"), Some("sun"), Some("run")],
            "hole" => [Some("run"), Some("run"), None, Some("run")],
            "no" => [false, false, false, false],
            "yes" => [false, false, false, true],
        )
        .expect("columns of one length");
        let footer = |statistics: StatisticsOptions, frame: &mut DataFrame| {
            let mut file = Cursor::new(Vec::new());
            let writer = ParquetWriter::new(&mut file).with_statistics(statistics).with_row_group_size(Some(2));
            writer.finish(frame).expect("memory");
            read_metadata(&mut file).expect("Parquet")
        };
        let known = footer(StatisticsOptions::default(), &mut frame);
        assert_eq!(known.row_groups.len(), 2);
        let names = ["nothing", "unknown", "few", "many", "below", "absent"];
        let (narrow, wide) = (Some(Width::Narrow), Some(Width::Wide));
        assert_eq!(names.map(|name| width(&known, name)), [None, None, narrow, wide, wide, wide]);
        assert_eq!(["no", "yes", "absent"].map(|name| is_false(&known, name)), [true, false, false]);
        let ends = [Some((0, 0)), Some((0, 0)), Some((0, 1_000)), Some((0, i64::from(i32::MAX))), Some((-1, 0)), None];
        assert_eq!(names.map(|name| range(&known, name)), ends);
        let texts = ["one", "other", "hole", "few", "absent"];
        assert_eq!(texts.map(|name| is_everywhere(&known, name, "run")), [true, false, false, false, false]);
        assert!(!is_everywhere(&known, "one", "ru"));
        let unknown = footer(StatisticsOptions::empty(), &mut frame);
        assert_eq!(names.map(|name| range(&unknown, name)), [None; 6]);
        assert!(!is_false(&unknown, "no") && !is_everywhere(&unknown, "one", "run"));
        assert_eq!(names.map(|name| width(&unknown, name)), [wide; 6]);
    }
}

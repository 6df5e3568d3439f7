//! One metric of one thing over the days.

use time::Date;

use crate::aggregate::Value;

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Days that a note lists.
const MOST: usize = 3;

#[derive(Clone, Copy)]
pub(super) struct Point {
    pub date: Date,
    pub value: Value,
}

/// What the days of one block have.
#[derive(Clone, Copy)]
enum Block {
    /// No run, or none with the metric.
    Empty,
    /// Runs to which the value is unknown.
    Unknown,
    Known {
        low: f64,
        high: f64,
    },
}

pub(super) struct Series {
    pub metric: &'static str,
    pub first: Point,
    pub last: Point,
    /// Of the days on which it is known.
    low: Option<Point>,
    high: Option<Point>,
    sum: f64,
    known: u32,
    unknown: Vec<Date>,
    blocks: Vec<Block>,
}

impl Series {
    pub fn new(metric: &'static str, date: Date, value: Value, block: usize, blocks: usize) -> Self {
        let point = Point { date, value };
        let mut series = Self {
            metric,
            first: point,
            last: point,
            low: None,
            high: None,
            sum: 0.0,
            known: 0,
            unknown: Vec::new(),
            blocks: vec![Block::Empty; blocks],
        };
        series.add(date, value, block);
        series
    }

    pub fn add(&mut self, date: Date, value: Value, block: usize) {
        let point = Point { date, value };
        self.last = point;
        let block = &mut self.blocks[block];
        let Some(number) = number(value) else {
            self.unknown.push(date);
            if let Block::Empty = block {
                *block = Block::Unknown;
            }
            return;
        };
        *block = match *block {
            Block::Empty | Block::Unknown => Block::Known { low: number, high: number },
            Block::Known { low, high } => Block::Known { low: low.min(number), high: high.max(number) },
        };
        let of = |point: Point| self::number(point.value).unwrap_or_default();
        if self.low.is_none_or(|low| number < of(low)) {
            self.low = Some(point);
        }
        if self.high.is_none_or(|high| number > of(high)) {
            self.high = Some(point);
        }
        self.sum += number;
        self.known += 1;
    }

    /// From the lowest value to the highest; a blank for days without a run, a question mark where the value is unknown.
    pub fn line(&self) -> String {
        let mean = self.sum / f64::from(self.known.max(1));
        let of = |point: Option<Point>| point.and_then(|point| number(point.value)).unwrap_or_default();
        let (lowest, highest) = (of(self.low), of(self.high));
        let block = |block: &Block| match *block {
            Block::Empty => ' ',
            Block::Unknown => '?',
            Block::Known { .. } if highest <= lowest => HEIGHTS[3],
            Block::Known { low, high } => {
                // Of several days that which a mean would hide.
                let value = if (high - mean).abs() > (low - mean).abs() { high } else { low };
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
                let place = ((value - lowest) / (highest - lowest) * 7.0).round() as usize;
                HEIGHTS[place.min(7)]
            }
        };
        self.blocks.iter().map(block).collect()
    }

    /// `2 -> 3  +1`.
    pub fn ends(&self) -> String {
        let (first, last) = (self.first.value, self.last.value);
        let change = change(first, last);
        format!("{} -> {}{}{change}", words(first), words(last), if change.is_empty() { "" } else { "  " })
    }

    /// The extremes, where neither the first nor the last day has them.
    pub fn between(&self) -> Option<String> {
        let ends = [self.first.value, self.last.value].map(number);
        let is_beyond = |point: &Point, beyond: fn(f64, f64) -> bool| {
            let value = number(point.value).unwrap_or_default();
            ends.iter().flatten().all(|end| beyond(value, *end))
        };
        let low = self.low.filter(|low| is_beyond(low, |value, end| value < end));
        let high = self.high.filter(|high| is_beyond(high, |value, end| value > end));
        let said = |word: &str, point: Option<Point>| {
            point.map(|point| format!("{word} {} on {}", words(point.value), point.date))
        };
        let all: Vec<String> = [said("lowest", low), said("highest", high)].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// The days on which the value is unknown.
    pub fn unknown(&self) -> Option<String> {
        let rest = self.unknown.len().saturating_sub(MOST);
        let shown: Vec<String> = self.unknown.iter().take(MOST).map(ToString::to_string).collect();
        let more = if rest == 0 { String::new() } else { format!(" and {rest} more days") };
        (!shown.is_empty()).then(|| format!("unknown on {}{more}", shown.join(", ")))
    }
}

fn number(value: Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "the height of a block")]
        Value::Count(count) => Some(count as f64),
        Value::Percent(number) | Value::Average(number) => Some(number),
        Value::Unknown => None,
    }
}

fn words(value: Value) -> String {
    match value {
        Value::Count(count) => count.to_string(),
        Value::Percent(percent) => format!("{percent:.2}%"),
        Value::Average(average) => format!("{average:.2}"),
        Value::Unknown => "unknown".to_owned(),
    }
}

/// `+3`, `-1.20`, or nothing.
fn change(first: Value, last: Value) -> String {
    match (first, last) {
        (Value::Count(first), Value::Count(last)) if first == last => String::new(),
        (Value::Count(first), Value::Count(last)) => {
            format!("{}{}", if last > first { "+" } else { "-" }, last.abs_diff(first))
        }
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if (last - first).abs() >= 0.005 => format!("{:+.2}", last - first),
            (Some(_) | None, Some(_) | None) => String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: u8) -> Date {
        Date::from_calendar_date(2026, time::Month::March, day).expect("a day")
    }

    fn series(blocks: usize, days: &[(usize, Value)]) -> Series {
        let mut days = (1_u8..).zip(days);
        let (day, (block, value)) = days.next().expect("a first");
        let mut series = Series::new("BucketCount", date(day), *value, *block, blocks);
        days.for_each(|(day, (block, value))| series.add(date(day), *value, *block));
        series
    }

    #[test]
    fn a_dip_within_a_block_is_shown_and_said() {
        let count = Value::Count;
        let dip = series(3, &[(0, count(10)), (0, count(10)), (1, count(2)), (1, count(10)), (2, count(10))]);
        assert_eq!(dip.line(), "█▁█");
        assert_eq!(dip.between().as_deref(), Some("lowest 2 on 2026-03-03"));
        let peak = series(3, &[(0, count(1)), (0, count(1)), (1, count(9)), (1, count(1)), (2, count(1))]);
        assert_eq!((peak.line().as_str(), peak.between().as_deref()), ("▁█▁", Some("highest 9 on 2026-03-03")));
        let rising = series(2, &[(0, count(1)), (0, count(2)), (1, count(3)), (1, count(4))]);
        assert_eq!((rising.line().as_str(), rising.between()), ("▁█", None));
    }

    #[test]
    fn what_is_unknown_is_no_number() {
        let percent = Value::Percent;
        let lost = series(4, &[(0, percent(90.0)), (1, Value::Unknown), (3, percent(95.0))]);
        assert_eq!((lost.line().as_str(), lost.ends().as_str()), ("▁? █", "90.00% -> 95.00%  +5.00"));
        assert_eq!(lost.unknown().as_deref(), Some("unknown on 2026-03-02"));
        let hidden = series(2, &[(0, percent(90.0)), (1, Value::Unknown)]);
        assert_eq!((hidden.line().as_str(), hidden.ends().as_str()), ("▄?", "90.00% -> unknown"));
    }
}

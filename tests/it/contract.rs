//! What others rely on.

pub const FILES: [&str; 6] = ["SHA256SUMS", "accounts.csv", "buckets.csv", "findings.csv", "metrics.csv", "report.json"];
pub const BUCKET_COLUMNS: [&str; 14] = [
    "account_id", "account_name", "ou_path", "region", "bucket", "versioning", "mfa_delete", "lifecycle",
    "lifecycle_rules", "status", "severity", "failed_rules", "advisories", "unknown_reasons",
];

/// A text of a report without what differs from run to run: times, how long it took, the run's id.
pub fn normalised(text: &str) -> String {
    const MOMENT: &str = "2026-01-01T00:00:00Z";
    const RUN_ID: &str = "00000000-0000-7000-8000-000000000000";
    let is_moment = |bytes: &[u8]| {
        bytes.iter().zip(MOMENT.bytes()).all(|(found, sign)| match sign {
            b'0'..=b'9' => found.is_ascii_digit(),
            sign => *found == sign,
        })
    };
    let mut text = text.to_owned();
    let moments: Vec<usize> = text.as_bytes().windows(MOMENT.len()).enumerate().filter(|(_, bytes)| is_moment(bytes)).map(|(at, _)| at).collect();
    for at in moments {
        text.replace_range(at..at + MOMENT.len(), MOMENT);
    }
    // On the page: how many seconds it took.
    if let Some((before, after)) = text.split_once("00Z, ") && let Some((_, after)) = after.split_once(" s, standard ") {
        text = format!("{before}00Z, 0 s, standard {after}");
    }
    // The only id in the indented part of report.json.
    if let Some(at) = text.find("\"id\": \"").map(|at| at + 7) {
        text.replace_range(at..at + RUN_ID.len(), RUN_ID);
    }
    text
}

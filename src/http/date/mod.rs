//! Dates of headers.
//!
//! In: milliseconds since 1970, or a date as a client wrote it. Out: the text of `Last-Modified` (RFC 9110, 5.6.7), or
//! milliseconds. Upstream reads dates with `Date.parse`, so the forms it takes beyond RFC 9110 are read here too:
//! ISO 8601, and V8's forgiving reader (`reader`). A date without a zone is local time there; here it is
//! UTC, which is what servers run in.

mod parts;
mod reader;
mod token;

const DAY: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The furthest point in time a JavaScript date can hold, in milliseconds either way (ECMA-262, 21.4.1.1).
const LIMIT: i64 = 8_640_000_000_000_000;

/// `new Date(ms).toUTCString()`, for instance `Thu, 01 Jan 1970 00:00:00 GMT`.
pub fn format(ms: i64) -> String {
    let ms = ms.clamp(-LIMIT, LIMIT);
    let days = ms.div_euclid(DAY);
    let seconds = ms.rem_euclid(DAY) / 1000;
    let (year, month, day) = civil(days);
    let weekday = WEEKDAYS.get(days.rem_euclid(7) as usize).unwrap_or(&"");
    let month = MONTHS.get(month as usize - 1).unwrap_or(&"");
    let (sign, year) = if year < 0 { ("-", -year) } else { ("", year) };
    let width = if sign.is_empty() { 4 } else { 6 };
    format!(
        "{weekday}, {day:02} {month} {sign}{year:0width$} {:02}:{:02}:{:02} GMT",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `Date.parse(text)`; `None` is `NaN`.
pub fn parse(text: &str) -> Option<i64> {
    http(text).or_else(|| reader::parse(text))
}

/// The one form that RFC 9110 allows senders, which is nearly all that arrives.
fn http(text: &str) -> Option<i64> {
    let bytes: &[u8; 29] = text.as_bytes().try_into().ok()?;
    let [_, _, _, b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ', h1, h2, b':', i1, i2, b':', s1, s2, b' ', b'G', b'M', b'T'] =
        bytes
    else {
        return None;
    };
    let digits = |digits: &[u8]| {
        digits.iter().try_fold(0_i64, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
        })
    };
    let month = MONTHS.iter().position(|name| name.as_bytes() == [*m1, *m2, *m3])? as i64 + 1;
    let (year, day) = (digits(&[*y1, *y2, *y3, *y4])?, digits(&[*d1, *d2])?);
    let (hour, minute, second) = (digits(&[*h1, *h2])?, digits(&[*i1, *i2])?, digits(&[*s1, *s2])?);
    // What is unusual, such as the year 0049 or a weekday of numbers, is left to the forgiving reader.
    let plain = year > 99 && hour < 24 && minute < 60 && second < 60 && (1..=31).contains(&day);
    let named = text.get(..3)?.bytes().all(|b| b.is_ascii_alphabetic());
    (plain && named).then(|| time(year, month, day) + ((hour * 60 + minute) * 60 + second) * 1000)
}

/// Milliseconds at the start of a day. A day past the end of its month counts on, as in JavaScript.
fn time(year: i64, month: i64, day: i64) -> i64 {
    // Howard Hinnant's days_from_civil: years begin in March, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) * DAY
}

/// `None` where a JavaScript date would be invalid.
fn in_range(ms: i64) -> Option<i64> {
    (-LIMIT..=LIMIT).contains(&ms).then_some(ms)
}

/// Year, month and day of a day since 1970 (civil_from_days, the reverse of [`time`]).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_node_prints_them() {
        // new Date(ms).toUTCString() under Node 20.
        for (ms, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_700_000_000_123, "Tue, 14 Nov 2023 22:13:20 GMT"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_800_000, "Sat, 01 Jan 10000 00:00:00 GMT"),
            (-62_167_219_200_000, "Sat, 01 Jan 0000 00:00:00 GMT"),
            (-62_167_219_200_001, "Fri, 31 Dec -000001 23:59:59 GMT"),
            (i64::MAX, "Sat, 13 Sep 275760 00:00:00 GMT"),
            (i64::MIN, "Tue, 20 Apr -271821 00:00:00 GMT"),
        ] {
            assert_eq!(format(ms), text);
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        for ms in [
            0,
            951_782_400_000,
            1_700_000_000_000,
            4_102_444_800_000,
            4_133_894_399_000,
        ] {
            assert_eq!(http(&format(ms)), Some(ms));
            assert_eq!(reader::parse(&format(ms)), Some(ms));
        }
    }

    proptest::proptest! {
        #[test]
        fn both_readers_agree(day in 0_i64..40, month in "Jan|Feb|Nov|Xyz", year in 0_i64..3000, hour in 0_i64..26,
                              minute in 0_i64..61, weekday in "Mon|Xyz|M1n") {
            let text = format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:59 GMT");
            if let Some(ms) = http(&text) {
                assert_eq!(reader::parse(&text), Some(ms), "{text}");
            }
        }

        #[test]
        fn never_panics(text in "\\PC*|([0-9]{1,20}|[-+:. TZ]|Jan|pm|GMT){1,12}", ms: i64) {
            parse(&text);
            format(ms);
        }
    }
}

//! Days and moments of the Gregorian calendar, without a clock and without time zones but UTC.

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

const NANOSECONDS: i128 = 1_000_000_000;

/// The number of a day, counted from 1970-01-01; `None` for a day that is none.
pub(crate) fn day(year: i64, month: u32, day: u32) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    // Years that begin in March end with the day that may be missing.
    let (shifted, of_march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let in_year = i64::from((153 * of_march + 2) / 5 + day - 1);
    let before =
        shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400);
    Some(before + in_year - 719_468)
}

/// The day in which a second lies, as `YYYY-MM-DD`.
pub(crate) fn written(seconds: i64) -> String {
    let days = seconds.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let in_year = of_era - (365 * year + year / 4 - year / 100);
    let of_march = (5 * in_year + 2) / 153;
    let month = if of_march < 10 {
        of_march + 3
    } else {
        of_march - 9
    };
    let day = in_year - (153 * of_march + 2) / 5 + 1;
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The first second of a day written as `YYYY-MM-DD`, counted from 1970-01-01.
pub(crate) fn seconds_of_day(text: &str) -> Option<i64> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, last) = rest.strip_prefix('-')?.split_at_checked(2)?;
    let last = last.strip_prefix('-').filter(|last| last.len() == 2)?;
    Some(day(number(year)?, number(month)?, number(last)?)? * DAY)
}

/// A moment as RFC 3339 writes it, in nanoseconds since 1970-01-01.
pub(crate) fn moment(text: &str) -> Option<i128> {
    let (date, time) = text.split_once(['T', 't'])?;
    let seconds = seconds_of_day(date)?;
    let (clock, rest) = time.split_at_checked(8)?;
    let mut parts = clock.split(':');
    let (hour, minute, second): (i64, i64, i64) = (
        number(parts.next()?)?,
        number(parts.next()?)?,
        number(parts.next()?)?,
    );
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let digits = rest.strip_prefix('.').map_or(0, |rest| {
        rest.bytes().take_while(u8::is_ascii_digit).count() + 1
    });
    let (fraction, zone) = rest.split_at(digits);
    let nanoseconds = match fraction.get(1..) {
        None => 0,
        Some("") => return None,
        Some(digits) => {
            let kept: String = digits.chars().chain("000000000".chars()).take(9).collect();
            number(&kept)?
        }
    };
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let (sign, zone) = zone.split_at_checked(1)?;
            let (hours, minutes) = zone.split_once(':')?;
            let minutes = number::<i64>(hours)? * 60 + number::<i64>(minutes)?;
            match sign {
                "+" => minutes * 60,
                "-" => -minutes * 60,
                _ => return None,
            }
        }
    };
    let whole = seconds + hour * 3600 + minute * 60 + second - offset;
    Some(i128::from(whole) * NANOSECONDS + i128::from(nanoseconds))
}

/// A number of digits alone.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_there_and_back() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2026-11-23", 1_795_392_000),
            ("1969-12-31", -86_400),
            ("0000-03-01", -62_162_035_200),
        ] {
            assert_eq!(seconds_of_day(text), Some(seconds), "{text}");
            assert_eq!(written(seconds), text);
            assert_eq!(written(seconds + DAY - 1), text);
        }
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-11-23 ",
            "x",
            "2026-11-+3",
        ] {
            assert_eq!(seconds_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn moments() {
        let at = |text| moment(text);
        assert_eq!(at("1970-01-01T00:00:01Z"), Some(1_000_000_000));
        assert_eq!(at("1970-01-01T01:00:00.5+01:00"), Some(500_000_000));
        assert_eq!(
            at("2026-11-23T23:26:40.123456789Z"),
            Some(1_795_476_400_123_456_789)
        );
        for text in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:01",
            "1970-01-01T00:00:01.Z",
            "1970-01-01T25:00:01Z",
            "1970-01-01T00:00:01+1",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}

/// A time zone: a fixed offset, a POSIX rule or a named zone of the tz database.
public final class TimeZoneRules: Sendable {
    /// As SHOW TimeZone prints it.
    public let name: String
    public static let utc = TimeZoneRules(name: "UTC")
    init(name: String) { self.name = name }

    /// A zone by name, abbreviation or POSIX form, as SET TimeZone reads it; nil when unknown.
    public static func named(_ name: String) -> TimeZoneRules? { nil }

    /// Seconds east of UTC at a UTC instant (µs since 2000-01-01).
    public func offset(atUTC micros: Int64) -> Int32 { 0 }
    /// Seconds east of UTC for a local reading (µs since 2000-01-01 local), DST gaps as PostgreSQL.
    public func offset(atLocal micros: Int64) -> Int32 { 0 }
    public func abbreviation(atUTC micros: Int64) -> String { name }
}

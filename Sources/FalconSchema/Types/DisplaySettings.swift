/// How a session wants values written and ambiguous input read: DateStyle, TimeZone and friends.
public struct DisplaySettings: Sendable {
    public enum DateOutput: Sendable { case iso, sql, postgres, german }
    public enum DateOrder: Sendable { case mdy, dmy, ymd }
    public enum IntervalStyle: Sendable { case postgres, postgresVerbose, sqlStandard, iso8601 }

    public var dateOutput: DateOutput = .iso
    public var dateOrder: DateOrder = .mdy
    public var intervalStyle: IntervalStyle = .postgres
    public var timeZone: TimeZoneRules = .utc
    public var extraFloatDigits: Int32 = 1
    public var byteaOutputIsHex = true
    /// The start of the transaction, µs since 2000-01-01 UTC: what 'now', 'today' and friends mean.
    public var transactionTimestamp: Int64 = 0
    /// Turns reg* values into names and back; nil outside a session.
    public var names: (any CatalogNames)?

    public init() {}
}

/// The catalog as the reg* types see it.
public protocol CatalogNames: AnyObject, Sendable {
    /// The text of `oid` as `type` (regclass, regproc, …) prints it; nil when there is none, and
    /// the number is printed.
    func text(of oid: OID, as type: OID) -> String?
    /// The object that `text` names, as `type`'s input function reads it.
    func lookup(_ text: String, as type: OID) throws(SQLError) -> OID
}

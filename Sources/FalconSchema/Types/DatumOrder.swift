/// The default btree order, equality and hash of SQL values. Text orders by bytes (collation "C").
public enum DatumOrder {
    /// Negative, zero or positive. Both values non-null and of `type`.
    public static func compare(_ a: Datum, _ b: Datum, type: OID) -> Int { 0 }

    /// Compares with NULLs and a direction, as ORDER BY does.
    public static func compare(
        _ a: Datum, _ b: Datum, type: OID, descending: Bool, nullsFirst: Bool
    ) -> Int {
        switch (a.isNull, b.isNull) {
        case (true, true): return 0
        case (true, false): return nullsFirst ? -1 : 1
        case (false, true): return nullsFirst ? 1 : -1
        case (false, false):
            let order = compare(a, b, type: type)
            return descending ? (order > 0 ? -1 : (order < 0 ? 1 : 0)) : order
        }
    }

    /// Equality as GROUP BY and DISTINCT use it: two NULLs are equal.
    public static func isNotDistinct(_ a: Datum, _ b: Datum, type: OID) -> Bool { false }

    /// Feeds a value so that equal values (by ``isNotDistinct``) hash alike, also across int widths.
    public static func hash(_ datum: Datum, type: OID, into hasher: inout Hasher) {}

    /// False for types without a btree order (json, xid, …).
    public static func isOrdered(_ type: OID) -> Bool { true }
}

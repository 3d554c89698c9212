import FalconStorage

/// The default btree order, equality and hash of SQL values. Text orders by bytes (collation "C").
public enum DatumOrder {
    /// Negative, zero or positive. Both values non-null and of `type`.
    @inlinable
    public static func compare(_ a: Datum, _ b: Datum, type: OID) -> Int {
        if case .int(let x) = a, case .int(let y) = b {
            // Unsigned types differ from the others only where the signs do.
            if x ^ y < 0, type == .pgLSN || type == .xid8 { return x < y ? 1 : -1 }
            return x < y ? -1 : (x > y ? 1 : 0)
        }
        return compareSlow(a, b, type: type)
    }

    @usableFromInline
    static func compareSlow(_ a: Datum, _ b: Datum, type: OID) -> Int {
        switch (a, b) {
        case (.text(let x), .text(let y)):
            if type == .bpchar { return comparePadded(x, y) }
            return compareText(x, y)
        case (.float(let x), .float(let y)): return compareFloat(x, y)
        case (.numeric(let x), .numeric(let y)): return NumericValue.compare(x, y)
        case (.bool(let x), .bool(let y)): return x == y ? 0 : (x ? 1 : -1)
        case (.bytes(let x), .bytes(let y)):
            return x.withUnsafeBytes { left in
                y.withUnsafeBytes { KeyOrder.compare(left, $0) }
            }
        case (.interval(let x), .interval(let y)):
            let left = x.span
            let right = y.span
            return left < right ? -1 : (left > right ? 1 : 0)
        case (.array(let x), .array(let y)): return compareArray(x, y)
        case (.null, .null): return 0
        // Mixed forms never come from a typed plan; any fixed order keeps a sort sound.
        default: return rank(a) - rank(b)
        }
    }

    /// Bytewise, as collation "C".
    public static func compareText(_ a: String, _ b: String) -> Int {
        if let order = a.utf8.withContiguousStorageIfAvailable({ x in
            b.utf8.withContiguousStorageIfAvailable { y in
                KeyOrder.compare(UnsafeRawBufferPointer(x), UnsafeRawBufferPointer(y))
            }
        }), let order {
            return order
        }
        var x = a
        var y = b
        return x.withUTF8 { left in
            y.withUTF8 { right in
                KeyOrder.compare(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
            }
        }
    }

    public static func equalText(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && compareText(a, b) == 0
    }

    /// char(n): trailing spaces do not count.
    static func comparePadded(_ a: String, _ b: String) -> Int {
        var x = a
        var y = b
        return x.withUTF8 { left in
            y.withUTF8 { right in
                KeyOrder.compare(trimmed(left), trimmed(right))
            }
        }
    }

    static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeRawBufferPointer {
        var end = text.count
        while end > 0, text[end - 1] == 0x20 { end -= 1 }
        return UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text[..<end]))
    }

    /// NaN equals NaN and is greater than everything; -0 equals 0.
    @inlinable
    public static func compareFloat(_ a: Double, _ b: Double) -> Int {
        if a < b { return -1 }
        if a > b { return 1 }
        if a == b { return 0 }
        return a.isNaN ? (b.isNaN ? 0 : 1) : -1
    }

    private static func compareArray(_ a: ArrayValue, _ b: ArrayValue) -> Int {
        for (x, y) in zip(a.elements, b.elements) {
            let order = compare(x, y, type: a.elementType, descending: false, nullsFirst: false)
            if order != 0 { return order }
        }
        if a.elements.count != b.elements.count { return a.elements.count - b.elements.count }
        if a.dimensions.count != b.dimensions.count {
            return a.dimensions.count - b.dimensions.count
        }
        for (x, y) in zip(a.dimensions, b.dimensions) {
            if x.length != y.length { return x.length < y.length ? -1 : 1 }
        }
        for (x, y) in zip(a.dimensions, b.dimensions) {
            if x.lowerBound != y.lowerBound { return x.lowerBound < y.lowerBound ? -1 : 1 }
        }
        return 0
    }

    private static func rank(_ datum: Datum) -> Int {
        switch datum {
        case .null: 9
        case .bool: 0
        case .int: 1
        case .float: 2
        case .numeric: 3
        case .text: 4
        case .bytes: 5
        case .interval: 6
        case .array: 7
        }
    }

    /// Compares with NULLs and a direction, as ORDER BY does.
    @inlinable
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
    @inlinable
    public static func isNotDistinct(_ a: Datum, _ b: Datum, type: OID) -> Bool {
        if a.isNull || b.isNull { return a.isNull && b.isNull }
        return compare(a, b, type: type) == 0
    }

    /// Feeds a value so that equal values (by ``isNotDistinct``) hash alike, also across int widths.
    public static func hash(_ datum: Datum, type: OID, into hasher: inout Hasher) {
        switch datum {
        case .null: hasher.combine(0 as UInt8)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .float(let value):
            hasher.combine(
                value == 0 ? 0 : (value.isNaN ? Double.nan.bitPattern : value.bitPattern))
        case .numeric(let value): value.hash(into: &hasher)
        case .text(let value):
            var text = value
            text.withUTF8 { utf8 in
                hasher.combine(
                    bytes: type == .bpchar ? trimmed(utf8) : UnsafeRawBufferPointer(utf8))
            }
            // A terminator keeps ("a", "bc") and ("ab", "c") apart.
            hasher.combine(0xFF as UInt8)
        case .bytes(let value): hasher.combine(value)
        case .interval(let value): hasher.combine(value.span)
        case .array(let value):
            for element in value.elements { hash(element, type: value.elementType, into: &hasher) }
            hasher.combine(value.elements.count)
        }
    }

    /// False for types without a btree order (json, xid, …).
    public static func isOrdered(_ type: OID) -> Bool {
        switch type {
        case .json, .xid, .cid, .aclitem, .pgNodeTree, .void, .unknown, .refcursor, .pgSnapshot,
            .txidSnapshot:
            return false
        default:
            if let element = TypeRegistry.elementType(of: type) { return isOrdered(element) }
            return TypeRegistry.physical(type) != .none
        }
    }
}

extension Interval {
    /// The span in microseconds, a month as 30 days: what comparison and equality look at.
    public var span: Int128 {
        (Int128(months) * 30 + Int128(days)) * 86_400_000_000 + Int128(micros)
    }
}

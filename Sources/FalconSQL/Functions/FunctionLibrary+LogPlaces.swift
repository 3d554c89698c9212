import FalconSchema

/// pg_lsn reckoned with: differences and offsets in bytes are numeric, since neither fits bigint.
extension FunctionLibrary {
    mutating func addLogPlaces() {
        binary("pg_lsn_mi", "pg_wal_lsn_diff") { (a, b, _) throws(SQLError) in
            let difference = Int128(Self.place(a)) - Int128(Self.place(b))
            return .numeric(NumericValue(wide: difference))
        }
        binary("pg_lsn_pli") { (lsn, bytes, _) throws(SQLError) in
            try Self.sum(lsn, bytes.numeric)
        }
        binary("numeric_pl_pg_lsn") { (bytes, lsn, _) throws(SQLError) in
            try Self.sum(lsn, bytes.numeric)
        }
        binary("pg_lsn_mii") { (lsn, bytes, _) throws(SQLError) in
            let bytes = bytes.numeric
            guard !bytes.isNaN else { throw Self.unsupported("subtract NaN from pg_lsn") }
            return try Self.lsn(
                try NumericValue.subtract(NumericValue(wide: Int128(Self.place(lsn))), bytes))
        }
        unary("numeric_pg_lsn") { (number, _) throws(SQLError) in try Self.lsn(number.numeric) }
        binary("pg_lsn_larger") { (a, b, _) throws(SQLError) in
            Self.place(a) > Self.place(b) ? a : b
        }
        binary("pg_lsn_smaller") { (a, b, _) throws(SQLError) in
            Self.place(a) < Self.place(b) ? a : b
        }
        binary("pg_lsn_cmp") { (a, b, _) throws(SQLError) in
            let (a, b) = (Self.place(a), Self.place(b))
            return .int(a < b ? -1 : (a > b ? 1 : 0))
        }
    }

    private static func place(_ lsn: Datum) -> UInt64 { UInt64(bitPattern: lsn.int) }

    private static func sum(_ lsn: Datum, _ bytes: NumericValue) throws(SQLError) -> Datum {
        guard !bytes.isNaN else { throw unsupported("add NaN to pg_lsn") }
        return try Self.lsn(try NumericValue.add(NumericValue(wide: Int128(place(lsn))), bytes))
    }

    /// The nearest place, halves away from zero.
    private static func lsn(_ number: NumericValue) throws(SQLError) -> Datum {
        if number.isNaN { throw unsupported("convert NaN to pg_lsn") }
        guard number.isFinite else { throw unsupported("convert infinity to pg_lsn") }
        let whole = try number.rounded(to: 0)
        if let small = whole.exactInt64 {
            guard small >= 0 else { throw outOfRange }
            return .int(small)
        }
        // The upper half of the places, as the distance from their middle.
        let middle = NumericValue(wide: Int128(1) << 63)
        guard let rest = try NumericValue.subtract(whole, middle).exactInt64, rest >= 0 else {
            throw outOfRange
        }
        return .int(Int64(bitPattern: UInt64(rest) + (1 << 63)))
    }

    private static var outOfRange: SQLError {
        SQLError(.invalidParameterValue, "pg_lsn out of range")
    }

    private static func unsupported(_ what: String) -> SQLError {
        SQLError(.featureNotSupported, "cannot \(what)")
    }
}

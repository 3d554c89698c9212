import FalconSchema

/// = <> < <= > >= of every type, and the btree comparison functions.
extension FunctionLibrary {
    private mutating func order(
        _ names: (eq: String, ne: String, lt: String, le: String, gt: String, ge: String),
        _ compare: @escaping @Sendable (Datum, Datum) -> Int
    ) {
        binary(names.eq) { (a, b, _) throws(SQLError) in .bool(compare(a, b) == 0) }
        binary(names.ne) { (a, b, _) throws(SQLError) in .bool(compare(a, b) != 0) }
        binary(names.lt) { (a, b, _) throws(SQLError) in .bool(compare(a, b) < 0) }
        binary(names.le) { (a, b, _) throws(SQLError) in .bool(compare(a, b) <= 0) }
        binary(names.gt) { (a, b, _) throws(SQLError) in .bool(compare(a, b) > 0) }
        binary(names.ge) { (a, b, _) throws(SQLError) in .bool(compare(a, b) >= 0) }
    }

    private func names(
        _ prefix: String, _ suffix: String = ""
    ) -> (eq: String, ne: String, lt: String, le: String, gt: String, ge: String) {
        (
            prefix + "eq" + suffix, prefix + "ne" + suffix, prefix + "lt" + suffix,
            prefix + "le" + suffix, prefix + "gt" + suffix, prefix + "ge" + suffix
        )
    }

    mutating func addComparisons() {
        addIntegerComparisons()
        let float: @Sendable (Datum, Datum) -> Int = { DatumOrder.compareFloat($0.float, $1.float) }
        for prefix in ["float4", "float8", "float48", "float84"] { order(names(prefix), float) }
        order(names("numeric_")) { NumericValue.compare($0.numeric, $1.numeric) }
        order(names("bool")) { ($0.bool ? 1 : 0) - ($1.bool ? 1 : 0) }

        let text: @Sendable (Datum, Datum) -> Int = { DatumOrder.compareText($0.text, $1.text) }
        order(names("name"), text)
        order(names("name", "text"), text)
        order(
            ("texteqname", "textnename", "textltname", "textlename", "textgtname", "textgename"),
            text)
        order(("texteq", "textne", "text_lt", "text_le", "text_gt", "text_ge"), text)
        order(names("text_pattern_"), text)
        binary("texteq", "nameeq", "nameeqtext", "texteqname") { (a, b, _) throws(SQLError) in
            .bool(DatumOrder.equalText(a.text, b.text))
        }
        binary("textne", "namene", "namenetext", "textnename") { (a, b, _) throws(SQLError) in
            .bool(!DatumOrder.equalText(a.text, b.text))
        }
        generic("bpchar", .bpchar)
        generic("bpchar_pattern_", .bpchar)
        generic("bytea", .bytea)
        generic("uuid_", .uuid)
        generic("interval_", .interval)
        generic("array_", .anyarray)
        generic("oidvector", .oidvector)

        for (name, type) in [
            ("bttextcmp", OID.text), ("btnamecmp", .name), ("bpcharcmp", .bpchar),
            ("byteacmp", .bytea), ("uuid_cmp", .uuid), ("interval_cmp", .interval),
            ("numeric_cmp", .numeric), ("date_cmp", .date), ("timestamp_cmp", .timestamp),
            ("time_cmp", .time), ("btint4cmp", .int4), ("btint8cmp", .int8), ("btint2cmp", .int2),
            ("btfloat8cmp", .float8), ("btboolcmp", .bool), ("btarraycmp", .anyarray),
        ] {
            binary(name) { (a, b, _) throws(SQLError) in
                .int(Int64(DatumOrder.compare(a, b, type: type).signum()))
            }
        }
        addDateComparisons()
        binary("text_starts_with") { (a, b, _) throws(SQLError) in
            .bool(a.text.utf8.starts(with: b.text.utf8))
        }
    }

    private mutating func generic(_ prefix: String, _ type: OID) {
        order(names(prefix)) { DatumOrder.compare($0, $1, type: type) }
    }

    private mutating func addIntegerComparisons() {
        let prefixes = [
            "int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84", "oid",
            "char", "time_", "date_", "timestamp_", "pg_lsn_", "xid8", "xid", "cid",
        ]
        for prefix in prefixes {
            let n = names(prefix)
            binary(n.eq) { (a, b, _) throws(SQLError) in .bool(a.int == b.int) }
            binary(n.ne) { (a, b, _) throws(SQLError) in .bool(a.int != b.int) }
            binary(n.lt) { (a, b, _) throws(SQLError) in .bool(a.int < b.int) }
            binary(n.le) { (a, b, _) throws(SQLError) in .bool(a.int <= b.int) }
            binary(n.gt) { (a, b, _) throws(SQLError) in .bool(a.int > b.int) }
            binary(n.ge) { (a, b, _) throws(SQLError) in .bool(a.int >= b.int) }
        }
        binary("xidneq") { (a, b, _) throws(SQLError) in .bool(a.int != b.int) }
        for prefix in ["pg_lsn_", "xid8"] {
            order(names(prefix)) {
                let a = UInt64(bitPattern: $0.int)
                let b = UInt64(bitPattern: $1.int)
                return a < b ? -1 : (a > b ? 1 : 0)
            }
        }
    }

    /// date, timestamp and timestamptz with each other: dates widen, local readings go through the
    /// session's zone.
    private mutating func addDateComparisons() {
        func add(
            _ left: String, _ right: String,
            _ compare: @escaping @Sendable (Int64, Int64, FunctionContext) -> Int
        ) {
            let n = names(left + "_", "_" + right)
            binary(n.eq) { (a, b, c) throws(SQLError) in .bool(compare(a.int, b.int, c) == 0) }
            binary(n.ne) { (a, b, c) throws(SQLError) in .bool(compare(a.int, b.int, c) != 0) }
            binary(n.lt) { (a, b, c) throws(SQLError) in .bool(compare(a.int, b.int, c) < 0) }
            binary(n.le) { (a, b, c) throws(SQLError) in .bool(compare(a.int, b.int, c) <= 0) }
            binary(n.gt) { (a, b, c) throws(SQLError) in .bool(compare(a.int, b.int, c) > 0) }
            binary(n.ge) { (a, b, c) throws(SQLError) in .bool(compare(a.int, b.int, c) >= 0) }
        }
        @Sendable func order(_ a: Int64, _ b: Int64) -> Int { a < b ? -1 : (a > b ? 1 : 0) }
        add("date", "timestamp") { a, b, _ in order(DateTimeMath.widen(date: a), b) }
        add("timestamp", "date") { a, b, _ in order(a, DateTimeMath.widen(date: b)) }
        add("date", "timestamptz") { a, b, c in
            order(
                DateTimeMath.instant(ofLocal: DateTimeMath.widen(date: a), c.settings.timeZone), b)
        }
        add("timestamptz", "date") { a, b, c in
            order(
                a, DateTimeMath.instant(ofLocal: DateTimeMath.widen(date: b), c.settings.timeZone))
        }
        add("timestamp", "timestamptz") { a, b, c in
            order(DateTimeMath.instant(ofLocal: a, c.settings.timeZone), b)
        }
        add("timestamptz", "timestamp") { a, b, c in
            order(a, DateTimeMath.instant(ofLocal: b, c.settings.timeZone))
        }
    }
}

import FalconSchema
import FalconStorage
import Testing

@Suite struct CodecTests {
    static let sampleTypes: [OID] = [
        .bool, .int2, .int4, .int8, .oid, .float4, .float8, .numeric, .text, .bpchar, .bytea, .uuid,
        .date, .timestamp, .interval, .char, .int4Array, .textArray, .pgLSN, .xid8,
    ]

    static func sample(_ type: OID, _ random: inout SeededRandom) -> Datum {
        func small() -> Int64 {
            let value = Int64(bitPattern: random.next())
            switch random.next() % 3 {
            case 0: return value % 3
            case 1: return value % 100_000
            default: return value
            }
        }
        switch type {
        case .bool: return .bool(random.next() % 2 == 0)
        case .int2: return .int(Int64(Int16(truncatingIfNeeded: small())))
        case .int4, .date: return .int(Int64(Int32(truncatingIfNeeded: small())))
        case .oid: return .int(Int64(UInt32(truncatingIfNeeded: small())))
        case .char: return .int(Int64(UInt8(truncatingIfNeeded: small())))
        case .float8:
            return [.float(0), .float(-0.0), .float(.nan), .float(-.infinity), .float(.infinity)]
                .randomElement(using: &random)
                .flatMap { random.next() % 4 == 0 ? $0 : nil }
                ?? .float(Double(small()) / 7)
        case .float4: return .float(Double(Float(small()) / 3))
        case .numeric:
            switch random.next() % 8 {
            case 0: return .numeric(.nan)
            case 1: return .numeric(random.next() % 2 == 0 ? .infinity : .negativeInfinity)
            case 2:
                let digits = String(random.next()) + String(random.next())
                let text = (random.next() % 2 == 0 ? "-" : "") + digits + "e-\(random.next() % 200)"
                return .numeric((try? NumericValue(parsing: text)) ?? .zero)
            default:
                return .numeric(
                    NumericValue(mantissa: small(), scale: Int(random.next() % 6)))
            }
        case .text: return .text(text(&random))
        case .bpchar:
            return .text(text(&random) + String(repeating: " ", count: Int(random.next() % 3)))
        case .bytea:
            return .bytes(
                (0..<Int(random.next() % 5)).map { _ in [0, 1, 255, 7][Int(random.next() % 4)] })
        case .uuid:
            return .bytes((0..<16).map { _ in UInt8(truncatingIfNeeded: random.next() % 3) })
        case .interval:
            return .interval(
                Interval(
                    months: Int32(truncatingIfNeeded: small() % 1000),
                    days: Int32(truncatingIfNeeded: small() % 1000), micros: small() % 100_000_000))
        case .int4Array, .textArray:
            let element: OID = type == .int4Array ? .int4 : .text
            return .array(
                ArrayValue(
                    elementType: element,
                    (0..<Int(random.next() % 4)).map { _ in
                        random.next() % 5 == 0 ? .null : sample(element, &random)
                    }))
        default: return .int(small())
        }
    }

    static func text(_ random: inout SeededRandom) -> String {
        (0..<Int(random.next() % 5)).map { _ in
            ["a", "b", " ", "é", "z", "\u{1}"][Int(random.next() % 6)]
        }
        .joined()
    }

    @Test func keysOrderAsValuesDo() throws {
        let seed: UInt64 = 42
        var random = SeededRandom(seed: seed)
        for type in Self.sampleTypes {
            for _ in 0..<3000 {
                let a: Datum = random.next() % 12 == 0 ? .null : Self.sample(type, &random)
                let b: Datum = random.next() % 12 == 0 ? .null : Self.sample(type, &random)
                let descending = random.next() % 2 == 0
                let nullsFirst = random.next() % 2 == 0
                var x = ByteWriter()
                var y = ByteWriter()
                try KeyCodec.append(
                    a, type: type, descending: descending, nullsFirst: nullsFirst, to: &x)
                try KeyCodec.append(
                    b, type: type, descending: descending, nullsFirst: nullsFirst, to: &y)
                // What follows must not matter for the order of the column itself.
                x.append(UInt8(truncatingIfNeeded: random.next()))
                y.append(UInt8(truncatingIfNeeded: random.next()))
                let expected = DatumOrder.compare(
                    a, b, type: type, descending: descending, nullsFirst: nullsFirst
                ).signum()
                if expected == 0 {
                    #expect(
                        x.bytes.dropLast() == y.bytes.dropLast(),
                        "\(a) \(b) type \(type) seed \(seed)")
                } else {
                    let actual = x.bytes.withUnsafeBytes { left in
                        y.bytes.withUnsafeBytes { KeyOrder.compare(left, $0) }
                    }.signum()
                    #expect(actual == expected, "\(a) \(b) type \(type) seed \(seed)")
                }
                var key = x
                key.bytes.removeLast()
                let back = try key.bytes.withUnsafeBytes { bytes throws in
                    var reader = ByteReader(bytes)
                    let value = try KeyCodec.decode(
                        &reader, type: type, descending: descending, nullsFirst: nullsFirst)
                    #expect(reader.isAtEnd)
                    return value
                }
                #expect(DatumOrder.isNotDistinct(a, back, type: type), "\(a) \(back) seed \(seed)")
                if KeyCodec.isLossless(type) {
                    #expect(
                        TypeIO.text(a, type: type, settings: .init())
                            == TypeIO.text(back, type: type, settings: .init()))
                }
            }
        }
    }

    @Test func equalValuesHashAlike() throws {
        func hash(_ datum: Datum, _ type: OID) -> Int {
            var hasher = Hasher()
            DatumOrder.hash(datum, type: type, into: &hasher)
            return hasher.finalize()
        }
        let one = try NumericValue(parsing: "1")
        let padded = try NumericValue(parsing: "1.000000000000000000000000000")
        #expect(hash(.numeric(one), .numeric) == hash(.numeric(padded), .numeric))
        #expect(hash(.float(0), .float8) == hash(.float(-0.0), .float8))
        #expect(hash(.text("a"), .bpchar) == hash(.text("a  "), .bpchar))
        #expect(
            hash(.interval(Interval(months: 1, days: 0, micros: 0)), .interval)
                == hash(.interval(Interval(months: 0, days: 30, micros: 0)), .interval))
    }

    static func table(_ types: [OID], version: UInt32 = 1) -> TableDescriptor {
        TableDescriptor(
            oid: 16384, database: DatabaseID(1), schemaOID: 2200, schema: "public", name: "t",
            version: version, storageID: StorageID(1000),
            primaryKey: [KeyColumn(attribute: 1, isDescending: true)],
            columns: types.enumerated().map {
                ColumnDescriptor(
                    name: "c\($0.offset)", attribute: Int16($0.offset + 1),
                    type: SQLType($0.element),
                    isNotNull: $0.offset == 0, defaultExpression: $0.offset == 1 ? "1 + 1" : nil)
            },
            indexes: [
                IndexDescriptor(
                    oid: 16390, name: "i", storageID: StorageID(1001), isUnique: true,
                    isPrimary: false, isConstraint: true,
                    columns: [KeyColumn(attribute: 2, nullsFirst: true)])
            ],
            checks: [CheckDescriptor(oid: 16400, name: "k", expression: "c0 > 0")])
    }

    @Test func rowsRoundTrip() throws {
        let seed: UInt64 = 7
        var random = SeededRandom(seed: seed)
        let descriptor = Self.table(Self.sampleTypes)
        let codec = RowCodec(descriptor)
        for _ in 0..<500 {
            let row = Self.sampleTypes.map { type -> Datum in
                random.next() % 4 == 0 ? .null : Self.sample(type, &random)
            }
            var writer = ByteWriter()
            try codec.encode(row, to: &writer)
            let wanted = [1, 7, 12, 17]
            try writer.bytes.withUnsafeBytes { bytes in
                #expect(RowCodec.descriptorVersion(of: bytes) == 1)
                let back = try codec.decodeAll(bytes)
                for (index, type) in Self.sampleTypes.enumerated() {
                    #expect(
                        TypeIO.text(back[index], type: type, settings: .init())
                            == TypeIO.text(row[index], type: type, settings: .init()),
                        "seed \(seed)")
                    #expect(back[index].isNull == row[index].isNull)
                }
                var some = [Datum](repeating: .null, count: wanted.count)
                try codec.decode(
                    bytes, RowProjection(columns: wanted, of: descriptor), into: &some)
                for (slot, column) in wanted.enumerated() {
                    #expect(
                        DatumOrder.isNotDistinct(
                            some[slot], row[column], type: Self.sampleTypes[column]))
                }
                for count in 0..<bytes.count {
                    _ = try? codec.decodeAll(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                }
            }
        }
    }

    /// Who does not know partial indexes must not read such a table.
    @Test func partialIndexesAreStored() throws {
        var table = Self.table([.int4, .text])
        let predicate = IndexPredicate(expression: "(c0 > 1)", attributes: [1])
        table.indexes[0].predicate = predicate
        table.indexes[0].isConstraint = false
        let bytes = table.encoded()
        #expect(bytes.first == 3)
        let back = try bytes.withUnsafeBytes { try TableDescriptor(decoding: $0) }
        #expect(back.indexes[0].predicate == predicate)
        #expect(back.indexes[0].attributes == [1, 2])
        #expect(back.indexes[0].enforcesUnique && !back.indexes[0].isKey)
        #expect(back.checks.map(\.name) == ["k"])
        for count in 0..<bytes.count {
            bytes[..<count].withUnsafeBytes {
                if let cut = try? TableDescriptor(decoding: $0) {
                    #expect(cut.indexes[0].predicate == predicate)
                }
            }
        }
    }

    /// Who does not know INCLUDE must not read such a table.
    @Test func includedColumnsAreStored() throws {
        var table = Self.table([.int4, .text, .int8])
        table.indexes[0].included = [3, 1]
        let bytes = table.encoded()
        #expect(bytes.first == 6)
        let back = try bytes.withUnsafeBytes { try TableDescriptor(decoding: $0) }
        #expect(back.encoded() == bytes)
        #expect(back.indexes[0].included == [3, 1])
        #expect(back.indexes[0].columns == table.indexes[0].columns)
        #expect(back.indexes[0].mentions(3) && !back.indexes[0].attributes.contains(3))
        for count in 0..<bytes.count {
            #expect(throws: SQLError.self) {
                try bytes.withUnsafeBytes {
                    try TableDescriptor(decoding: UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
            }
        }
    }

    /// Who does not know DEFERRABLE constraints must not read such a table; others stay as they were.
    @Test func deferrableConstraintsAreStored() throws {
        for deferral in [nil, ConstraintDeferral.initiallyImmediate, .initiallyDeferred] {
            for isPrimaryKey in [false, true] {
                var table = Self.table([.int4, .text])
                table.indexes[0].deferral = deferral
                table.indexes[0].isUnique = deferral == nil
                table.indexes[0].isPrimaryKey = isPrimaryKey
                let bytes = table.encoded()
                #expect(bytes.first == (deferral == nil ? 1 : 2))
                let back = try bytes.withUnsafeBytes { try TableDescriptor(decoding: $0) }
                #expect(back.indexes[0].deferral == deferral)
                #expect(back.indexes[0].isPrimaryKey == isPrimaryKey)
                #expect(back.indexes[0].enforcesUnique && !back.indexes[0].isPrimary)
                #expect(back.indexes[0].isUnique == (deferral == nil))
            }
        }
    }

    @Test func damagedRowsNeverTrap() throws {
        var random = SeededRandom(seed: 99)
        let codec = RowCodec(Self.table(Self.sampleTypes))
        let row = Self.sampleTypes.map { Self.sample($0, &random) }
        var writer = ByteWriter()
        try codec.encode(row, to: &writer)
        for _ in 0..<20_000 {
            var bytes = writer.bytes
            for _ in 0...Int(random.next() % 3) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            bytes.withUnsafeBytes { raw in
                _ = try? codec.decodeAll(raw)
                for type in Self.sampleTypes {
                    var reader = ByteReader(raw)
                    _ = try? KeyCodec.decode(&reader, type: type)
                }
                _ = try? TableDescriptor(decoding: raw)
            }
        }
    }

    @Test func rowsOfAnOlderDescriptorReadTheMissingValue() throws {
        let old = RowCodec(Self.table([.int4, .text]))
        var newer = Self.table([.int4, .text, .int8], version: 2)
        newer.columns[2].missingValue = .int(77)
        var writer = ByteWriter()
        try old.encode([.int(1), .text("x")], to: &writer)
        let row = try writer.bytes.withUnsafeBytes { try RowCodec(newer).decodeAll($0) }
        #expect(DatumOrder.isNotDistinct(row[2], .int(77), type: .int8))
    }

    @Test func descriptorsRoundTrip() throws {
        var descriptor = Self.table([.int4, .text, .numeric], version: 9)
        descriptor.columns[2].missingValue = .numeric(try NumericValue(parsing: "1.50"))
        descriptor.columns[1].isDropped = true
        let bytes = descriptor.encoded()
        let back = try bytes.withUnsafeBytes { try TableDescriptor(decoding: $0) }
        #expect(back.encoded() == bytes)
        #expect(back.name == "t" && back.version == 9 && back.columns.count == 3)
        #expect(back.columns[1].isDropped && back.columns[1].defaultExpression == "1 + 1")
        #expect(back.primaryKey == descriptor.primaryKey)
        #expect(back.indexes[0].columns == descriptor.indexes[0].columns)
        #expect(back.checks[0].expression == "c0 > 0")
        for count in 0..<bytes.count {
            #expect(throws: SQLError.self) {
                try bytes.withUnsafeBytes {
                    try TableDescriptor(decoding: UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
            }
        }
        var newer = bytes
        newer[0] = 9
        #expect(throws: SQLError.self) {
            try newer.withUnsafeBytes { try TableDescriptor(decoding: $0) }
        }
    }
}

import FalconSchema
import FalconStorage
import Testing

/// Reads the vectors that an oracle recorded.
enum Vectors {
    static func lines(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).map {
                unescape(String($0))
            }
        }
    }

    static func unescape(_ text: String) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                switch character {
                case "t": result += "\t"
                case "n": result += "\n"
                case "p": result += "|"
                default: result.append(character)
                }
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    static func settings(_ text: String) -> DisplaySettings {
        var settings = DisplaySettings()
        for pair in text.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            switch parts[0] {
            case "timezone": settings.timeZone = TimeZoneRules.named(parts[1]) ?? .utc
            case "datestyle":
                let names = parts[1].split(separator: ",").map { $0.filter { $0 != " " } }
                switch names[0] {
                case "SQL": settings.dateOutput = .sql
                case "Postgres": settings.dateOutput = .postgres
                case "German": settings.dateOutput = .german
                default: settings.dateOutput = .iso
                }
                switch names[1] {
                case "DMY": settings.dateOrder = .dmy
                case "YMD": settings.dateOrder = .ymd
                default: settings.dateOrder = .mdy
                }
            case "intervalstyle":
                switch parts[1] {
                case "postgres_verbose": settings.intervalStyle = .postgresVerbose
                case "sql_standard": settings.intervalStyle = .sqlStandard
                case "iso_8601": settings.intervalStyle = .iso8601
                default: settings.intervalStyle = .postgres
                }
            case "extra_float_digits": settings.extraFloatDigits = Int32(parts[1]) ?? 1
            case "bytea_output": settings.byteaOutputIsHex = parts[1] == "hex"
            default: Issue.record("unknown setting \(parts[0])")
            }
        }
        return settings
    }

    static func type(_ text: String) throws -> SQLType {
        let intervalFields: [String: Int32] = [
            "interval day": 1 << 3, "interval year to month": 1 << 2 | 1 << 1,
            "interval hour to minute": 1 << 10 | 1 << 11,
            "interval minute to second": 1 << 11 | 1 << 12,
        ]
        if let fields = intervalFields[text] {
            return SQLType(.interval, modifier: fields << 16 | 0xFFFF)
        }
        let oid = try #require(FalconSchema.TypeNames.parse(text), "no type \(text)")
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else {
            return SQLType(oid)
        }
        let numbers = text[text.index(after: open)..<close].split(separator: ",").compactMap {
            Int32($0.filter { $0 != " " })
        }
        switch oid {
        case .numeric, .numericArray:
            return SQLType(
                oid,
                modifier: NumericValue.modifier(
                    precision: numbers[0], scale: numbers.count > 1 ? numbers[1] : 0))
        case .varchar, .bpchar: return SQLType(oid, modifier: numbers[0] + 4)
        case .interval: return SQLType(oid, modifier: 0x7FFF << 16 | numbers[0])
        default: return SQLType(oid, modifier: numbers[0])
        }
    }
}

@Suite struct TypeIOTests {
    @Test func textFormsAreThoseOfPostgreSQL() throws {
        var failures = 0
        for fields in Vectors.lines(typeVectors) {
            let (settingsText, typeText, input, expected) = (
                fields[0], fields[1], fields[2], fields[3]
            )
            let settings = Vectors.settings(settingsText)
            let type = try Vectors.type(typeText)
            var actual: String
            do throws(SQLError) {
                let datum = try TypeIO.parseText(input, type: type, settings: settings)
                actual = "=" + TypeIO.text(datum, type: type.oid, settings: settings)
            } catch {
                actual = "!\(error.state) \(error.message)"
            }
            if actual != expected {
                failures += 1
                if failures < 100 {
                    Issue.record(
                        "[\(settingsText)] '\(input)'::\(typeText): \(actual), PostgreSQL \(expected)"
                    )
                }
            }
        }
        #expect(failures == 0)
    }

    @Test func binaryFormsRoundTrip() throws {
        for fields in Vectors.lines(typeVectors) where fields[3].hasPrefix("=") {
            let settings = Vectors.settings(fields[0])
            let type = try Vectors.type(fields[1])
            guard let datum = try? TypeIO.parseText(fields[2], type: type, settings: settings)
            else {
                continue
            }
            var writer = ByteWriter()
            TypeIO.appendBinary(datum, type: type.oid, to: &writer)
            let back = try writer.bytes.withUnsafeBytes {
                try TypeIO.decodeBinary($0, type: type, settings: settings)
            }
            #expect(
                TypeIO.text(back, type: type.oid, settings: settings)
                    == TypeIO.text(datum, type: type.oid, settings: settings))
            // Every shorter form is an error, never a trap.
            for count in 0..<writer.count {
                _ = try? writer.bytes.withUnsafeBytes {
                    try TypeIO.decodeBinary(
                        UnsafeRawBufferPointer(rebasing: $0[..<count]), type: type,
                        settings: settings)
                }
            }
        }
    }

    @Test func damagedInputNeverTraps() throws {
        let seed = UInt64(20_261_123)
        var random = SeededRandom(seed: seed)
        let vectors = Vectors.lines(typeVectors)
        let types = TypeRegistry.all.map(\.oid)
        for _ in 0..<20_000 {
            let fields = vectors[Int(random.next() % UInt64(vectors.count))]
            var bytes = Array(fields[2].utf8)
            for _ in 0..<Int(random.next() % 4) {
                if bytes.isEmpty || random.next() % 3 == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: random.next()))
                } else {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(
                        truncatingIfNeeded: random.next() % 128)
                }
            }
            let type =
                random.next() % 2 == 0
                ? try Vectors.type(fields[1])
                : SQLType(types[Int(random.next() % UInt64(types.count))])
            bytes.withUnsafeBytes { raw in
                if let datum = try? TypeIO.parseText(raw, type: type, settings: DisplaySettings()) {
                    _ = TypeIO.text(datum, type: type.oid, settings: DisplaySettings())
                }
                if let datum = try? TypeIO.decodeBinary(
                    raw, type: type, settings: DisplaySettings())
                {
                    _ = TypeIO.text(datum, type: type.oid, settings: DisplaySettings())
                }
            }
        }
    }

    @Test func binaryNumericMatchesPostgreSQL() throws {
        // numeric_send's output for each.
        let known = [
            ("0", "0000000000000000"), ("1", "0001000000000000" + "0001"),
            ("-1.5", "0002000040000001" + "00011388"), ("10000", "0001000100000000" + "0001"),
            ("0.0001", "0001ffff00000004" + "0001"), ("NaN", "00000000c0000000"),
            ("12345.678", "0003000100000003" + "000109291a7c"),
        ]
        for (text, hex) in known {
            var writer = ByteWriter()
            try NumericValue(parsing: text).appendBinary(to: &writer)
            let actual = writer.bytes.map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            #expect(actual.joined() == hex, "\(text)")
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

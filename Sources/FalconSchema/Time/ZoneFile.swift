import FalconStorage
import Glibc

/// Reads the tz database's compiled files (TZif, RFC 8536) under /usr/share/zoneinfo.
enum ZoneFile {
    private static let root = "/usr/share/zoneinfo"

    static func load(_ name: String) -> TimeZoneRules? {
        guard !name.isEmpty, name.utf8.count <= 64, isPlain(name) else { return nil }
        var actual = name
        var bytes = read(root + "/" + name)
        if bytes == nil, let found = findIgnoringCase(name) {
            actual = found
            bytes = read(root + "/" + found)
        }
        guard let bytes else { return nil }
        return bytes.withUnsafeBytes { parse($0, name: actual) }
    }

    /// Letters, digits and `_+-/`, no empty component and so no way out of the directory.
    private static func isPlain(_ name: String) -> Bool {
        var previous = UInt8(ascii: "/")
        for byte in name.utf8 {
            if byte == UInt8(ascii: "/") {
                if previous == UInt8(ascii: "/") { return false }
            } else if !byte.isLetter, !byte.isDigit, byte != UInt8(ascii: "_"),
                byte != UInt8(ascii: "+"), byte != UInt8(ascii: "-")
            {
                return false
            }
            previous = byte
        }
        return previous != UInt8(ascii: "/")
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size > 0, status.st_size < 1 << 20
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = bytes.withUnsafeMutableBytes {
            Glibc.read(descriptor, $0.baseAddress, $0.count)
        }
        guard count == bytes.count else { return nil }
        return bytes
    }

    private static func findIgnoringCase(_ name: String) -> String? {
        var path = root
        var actual: [String] = []
        for component in name.split(separator: "/") {
            guard let directory = opendir(path) else { return nil }
            defer { closedir(directory) }
            let wanted = component.lowercased()
            var found: String?
            while let entry = readdir(directory) {
                let entryName = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if entryName.lowercased() == wanted {
                    found = entryName
                    break
                }
            }
            guard let found else { return nil }
            actual.append(found)
            path += "/" + found
        }
        return actual.joined(separator: "/")
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, name: String) -> TimeZoneRules? {
        var reader = ByteReader(bytes)
        guard let first = readHeader(&reader) else { return nil }
        var header = first
        var width = 4
        if header.version >= UInt8(ascii: "2") {
            guard reader.skip(header.bodyLength(width: 4)), let second = readHeader(&reader) else {
                return nil
            }
            header = second
            width = 8
        }
        guard header.typeCount > 0, header.typeCount <= 256, header.timeCount <= 1 << 16 else {
            return nil
        }
        var times: [Int64] = []
        for _ in 0..<header.timeCount {
            if width == 8 {
                guard let time = reader.readFixed(Int64.self)?.byteSwapped else { return nil }
                times.append(time)
            } else {
                guard let time = reader.readFixed(Int32.self)?.byteSwapped else { return nil }
                times.append(Int64(time))
            }
        }
        var indexes: [Int] = []
        for _ in 0..<header.timeCount {
            guard let index = reader.readByte() else { return nil }
            indexes.append(Int(index))
        }
        var raw: [(offset: Int32, isDST: Bool, name: Int)] = []
        for _ in 0..<header.typeCount {
            guard let offset = reader.readFixed(Int32.self)?.byteSwapped,
                let dst = reader.readByte(), let nameIndex = reader.readByte()
            else { return nil }
            raw.append((offset, dst != 0, Int(nameIndex)))
        }
        guard let names = reader.readBytes(header.characterCount),
            reader.skip(
                header.leapCount * (width + 4) + header.standardCount + header.utcCount)
        else { return nil }
        var types: [TimeZoneRules.LocalType] = []
        for type in raw {
            guard type.name < names.count else { return nil }
            var end = type.name
            while end < names.count, names[end] != 0 { end += 1 }
            types.append(
                TimeZoneRules.LocalType(
                    offset: type.offset, isDST: type.isDST,
                    abbreviation: String(decoding: names[type.name..<end], as: UTF8.self)))
        }
        var transitions: [TimeZoneRules.Transition] = []
        for (time, index) in zip(times, indexes) {
            guard types.indices.contains(index) else { return nil }
            transitions.append(TimeZoneRules.Transition(at: time, type: types[index]))
        }
        var tail: PosixTimeZone?
        if width == 8, reader.readByte() == 0x0A, let rest = reader.readBytes(reader.remaining),
            let end = rest.firstIndex(of: 0x0A)
        {
            tail = PosixTimeZone(String(decoding: rest[..<end], as: UTF8.self))
        }
        let initial = types.first(where: { !$0.isDST }) ?? types[0]
        return TimeZoneRules(
            name: name, initial: transitions.isEmpty ? initial : types[0],
            transitions: transitions, tail: tail)
    }

    private struct Header {
        var version: UInt8
        var utcCount: Int
        var standardCount: Int
        var leapCount: Int
        var timeCount: Int
        var typeCount: Int
        var characterCount: Int

        func bodyLength(width: Int) -> Int {
            timeCount * (width + 1) + typeCount * 6 + characterCount + leapCount * (width + 4)
                + standardCount + utcCount
        }
    }

    private static func readHeader(_ reader: inout ByteReader) -> Header? {
        guard let magic = reader.readFixed(UInt32.self), magic == 0x6669_5A54,
            let version = reader.readByte(), reader.skip(15)
        else { return nil }
        func count() -> Int? {
            guard let value = reader.readFixed(UInt32.self)?.byteSwapped, value < 1 << 20 else {
                return nil
            }
            return Int(value)
        }
        guard let utc = count(), let standard = count(), let leap = count(), let time = count(),
            let type = count(), let character = count()
        else { return nil }
        return Header(
            version: version, utcCount: utc, standardCount: standard, leapCount: leap,
            timeCount: time, typeCount: type, characterCount: character)
    }
}

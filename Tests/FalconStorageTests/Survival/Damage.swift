@testable import FalconStorage

/// A change of bytes on disk that nobody asked for.
enum Damage: Sendable, CustomStringConvertible {
    case flip(path: String, bit: Int)
    case zeros(path: String, range: Range<Int>)
    case swap(path: String, sector: Int, other: Int)
    case truncation(path: String, bytes: Int)

    static let sectorBytes = 512

    var path: String {
        switch self {
        case .flip(let path, _), .zeros(let path, _), .swap(let path, _, _),
            .truncation(let path, _):
            path
        }
    }

    var description: String {
        switch self {
        case .flip(let path, let bit): "bit \(bit % 8) of byte \(bit / 8) of \(path) flipped"
        case .zeros(let path, let range): "bytes \(range) of \(path) zeroed"
        case .swap(let path, let a, let b): "sectors \(a) and \(b) of \(path) swapped"
        case .truncation(let path, let bytes): "\(path) cut to \(bytes) bytes"
        }
    }

    /// False when it changes nothing.
    func apply(_ fileSystem: MemoryFileSystem) throws -> Bool {
        let file = try fileSystem.open(path, .readWrite)
        switch self {
        case .flip(_, let bit):
            let byte = try file.readExactly(1, at: UInt64(bit / 8))
            try file.write([byte[0] ^ (1 << UInt8(bit % 8))], at: UInt64(bit / 8))
            return true
        case .zeros(_, let range):
            let old = try file.readExactly(range.count, at: UInt64(range.lowerBound))
            try file.write(
                [UInt8](repeating: 0, count: range.count), at: UInt64(range.lowerBound))
            return old.contains { $0 != 0 }
        case .swap(_, let a, let b):
            let first = try file.readExactly(Self.sectorBytes, at: UInt64(a * Self.sectorBytes))
            let second = try file.readExactly(Self.sectorBytes, at: UInt64(b * Self.sectorBytes))
            try file.write(second, at: UInt64(a * Self.sectorBytes))
            try file.write(first, at: UInt64(b * Self.sectorBytes))
            return first != second
        case .truncation(_, let bytes):
            let size = try file.size()
            try file.truncate(to: UInt64(bytes))
            return size != UInt64(bytes)
        }
    }

    /// Damage of every kind; most of it flips. What cuts off the end of a log that nobody closed is
    /// left out: it looks as if the end had never been written.
    static func random(
        _ exemplar: DamageExemplar, _ random: inout SplitMix64
    ) -> Damage? {
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(max(limit, 1))) }
        let part = ["/wal/", "/wal/", "/sst/", "/sst/", "MANIFEST", "/", ".blob"][below(7)]
        let files = exemplar.files(part)
        guard !files.isEmpty else { return nil }
        let (path, bytes) = files[below(files.count)]
        let isOpenLog = exemplar.ending == .killed && path.contains("/wal/")
        let kind = isOpenLog ? 0 : below(8)
        switch kind {
        case 5:
            let start = below(bytes / sectorBytes + 1) * sectorBytes
            return .zeros(path: path, range: min(start, bytes)..<min(start + sectorBytes, bytes))
        case 6 where bytes >= 2 * sectorBytes:
            let sectors = bytes / sectorBytes
            return .swap(path: path, sector: below(sectors), other: below(sectors))
        case 7: return .truncation(path: path, bytes: below(bytes))
        default: return .flip(path: path, bit: below(bytes * 8))
        }
    }
}

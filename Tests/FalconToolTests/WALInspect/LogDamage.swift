import FalconToolKit
import Testing

@testable import FalconStorage

/// One line of the table of damages: a log, what is done to it, and what wal-inspect must say.
struct LogDamage: CustomTestStringConvertible, Sendable {
    let name: String
    /// The worst finding's code; nil for none.
    let code: String?
    let exit: ToolExit
    /// What the report must contain besides.
    var says: [String] = []
    /// Of the findings with ``code``.
    var count = 1
    /// What of the damage recovery does not mind, although the tool calls it corruption.
    var recovers = false
    let log: @Sendable () throws -> LogForge
    /// Zeros behind the last segment's chunks.
    var rest = 0
    let mutilate: @Sendable (LogForge) throws -> Void

    var testDescription: String { name }

    init(
        _ name: String, _ code: String?, _ exit: ToolExit, says: [String] = [], count: Int = 1,
        recovers: Bool = false, rest: Int = 0, log: @escaping @Sendable () throws -> LogForge,
        _ mutilate: @escaping @Sendable (LogForge) throws -> Void = { _ in }
    ) {
        self.name = name
        self.code = code
        self.exit = exit
        self.says = says
        self.count = count
        self.recovers = recovers
        self.rest = rest
        self.log = log
        self.mutilate = mutilate
    }

    /// Of the plain log.
    init(
        _ name: String, _ code: String?, _ exit: ToolExit, says: [String] = [], count: Int = 1,
        recovers: Bool = false, rest: Int = 0,
        _ mutilate: @escaping @Sendable (LogForge) throws -> Void = { _ in }
    ) {
        self.init(
            name, code, exit, says: says, count: count, recovers: recovers, rest: rest,
            log: { try LogScenarios.plain() }, mutilate)
    }
}

extension LogForge {
    /// Changes the bytes of a segment, counted from 1; its file may grow or shrink.
    func patch(_ segment: Int, _ body: (inout [UInt8], Segment) -> Void) throws {
        let found = segments[segment - 1]
        try LogFixture.patch(fileSystem, found.path) { body(&$0, found) }
    }

    /// Flips one bit of a chunk, at `byte` behind its beginning.
    func flip(_ segment: Int, chunk: Int, byte: Int, bit: UInt8 = 4) throws {
        try patch(segment) { bytes, found in
            bytes[found.chunks[chunk].offset + byte] ^= 1 << bit
        }
    }

    func zero(_ segment: Int, _ range: (Segment) -> Range<Int>) throws {
        try patch(segment) { bytes, found in
            for index in range(found) where index < bytes.count { bytes[index] = 0 }
        }
    }

    func cut(_ segment: Int, _ size: (Segment) -> Int) throws {
        try patch(segment) { bytes, found in bytes.removeLast(bytes.count - size(found)) }
    }

    /// Puts other bytes over a chunk.
    func replace(_ segment: Int, chunk: Int, with other: [UInt8]) throws {
        try patch(segment) { bytes, found in
            let offset = found.chunks[chunk].offset
            for (index, byte) in other.enumerated() where offset + index < bytes.count {
                bytes[offset + index] = byte
            }
        }
    }

    /// The bytes of a chunk as they were written.
    func bytes(_ segment: Int, chunk: Int) -> [UInt8] {
        let found = segments[segment - 1]
        let place = found.chunks[chunk]
        return Array(found.bytes[place.offset..<(place.offset + place.bytes)])
    }

    /// Changes the header of a chunk, whose checksum, and seal if it has one, fit again.
    func recode(_ segment: Int, chunk: Int, _ change: (inout WALChunkHeader) -> Void) throws {
        try patch(segment) { bytes, found in
            let offset = found.chunks[chunk].offset
            bytes.withUnsafeMutableBytes { all in
                guard let base = all.baseAddress, var header = WALChunkHeader.decode(base + offset)
                else { return }
                let old = header
                change(&header)
                if found.cipher != nil, old.kind == .records {
                    let start = offset + WALFormat.chunkHeaderBytes
                    let room = start..<(offset + found.chunks[chunk].bytes)
                    let records = Self.records(Array(all[room]), old, found)
                    let stored = Self.stored(records, header, found)
                    header.payloadCRC = stored.withUnsafeBytes { Checksum.crc32c($0) }
                    for (index, byte) in stored.enumerated() { all[start + index] = byte }
                }
                header.encode(to: base + offset)
            }
        }
    }

    /// Changes the records of a chunk, whose checksums fit again.
    func rewrite(_ segment: Int, chunk: Int, _ change: (inout [UInt8]) -> Void) throws {
        var whole = bytes(segment, chunk: chunk)
        let found = segments[segment - 1]
        var stored = Array(whole[WALFormat.chunkHeaderBytes...])
        let header = whole.withUnsafeBytes { $0.baseAddress.flatMap(WALChunkHeader.decode) }
        if let header, found.cipher != nil {
            var records = Self.records(stored, header, found)
            change(&records)
            stored = Self.stored(records, header, found)
        } else {
            change(&stored)
        }
        whole.replaceSubrange(WALFormat.chunkHeaderBytes..., with: stored)
        try replace(segment, chunk: chunk, with: whole)
        let sum = stored.withUnsafeBytes { Checksum.crc32c($0) }
        try recode(segment, chunk: chunk) { $0.payloadCRC = sum }
    }

    /// Changes the header of a segment, whose checksum fits again.
    func rehead(_ segment: Int, _ change: (inout WALSegmentHeader) -> Void) throws {
        try patch(segment) { bytes, found in
            var header = found.header
            change(&header)
            bytes.replaceSubrange(0..<WALFormat.headerBytes, with: header.encoded())
        }
    }
}

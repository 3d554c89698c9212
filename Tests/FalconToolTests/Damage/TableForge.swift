import Testing

@testable import FalconStorage

/// The bytes of a table, whose parts are found through the codec and changed one by one; checksums and seals fit
/// again only where that is asked for.
struct TableForge {
    let path: String
    var bytes: [UInt8]
    let footer: TableFooter
    let properties: TableProperties
    private let blocks: TableBlockReader

    init(_ path: String, _ fileSystem: MemoryFileSystem, _ keys: FileKeys?) throws {
        self.path = path
        bytes = try fileSystem.contents(of: path)
        footer = try TableReader.decodeFooter(
            Array(bytes.suffix(TableFormat.footerBytes)), UInt64(bytes.count), path)
        let file = try fileSystem.open(path, .read)
        var blocks = TableBlockReader(file: file, footer: footer)
        blocks.cipher = try TableReader.cipher(file, footer, keys)
        var pin = BlockPin()
        try blocks.load(footer.properties, .properties, &pin)
        properties = try #require(TableProperties.decode(pin.bytes))
        pin.release()
        try blocks.loadDictionary(properties)
        self.blocks = blocks
    }

    // MARK: - Places

    /// Of the data blocks, in the order of their keys.
    func dataBlocks() throws -> [BlockHandle] {
        let top = try children(footer.index)
        return footer.indexLevels == 1 ? top : try top.flatMap { try children($0) }
    }

    /// Of a table whose index has two levels.
    func partitions() throws -> [BlockHandle] {
        #expect(footer.indexLevels == 2)
        return try children(footer.index)
    }

    private func children(_ handle: BlockHandle) throws -> [BlockHandle] {
        try content(handle, .index).withUnsafeBytes { bytes in
            let index = IndexBlock(validated: bytes)
            return (0..<index.count).map { index.handle($0) }
        }
    }

    /// What a block holds, decrypted and decompressed.
    func content(_ handle: BlockHandle, _ kind: TableFormat.BlockKind) throws -> [UInt8] {
        var pin = BlockPin()
        try blocks.load(handle, kind, &pin)
        defer { pin.release() }
        return Array(pin.bytes)
    }

    /// Where a block's trailer begins.
    func trailer(_ handle: BlockHandle) -> Int {
        Int(handle.offset) + Int(handle.payloadBytes)
    }

    // MARK: - Changes

    mutating func flip(_ offset: Int) { bytes[offset] ^= 4 }

    /// Flips a bit of a block's payload.
    mutating func flip(_ handle: BlockHandle, at byte: Int = 9) {
        bytes[Int(handle.offset) + byte] ^= 4
    }

    /// Changes a byte of a block's trailer, whose checksum fits again.
    mutating func retrail(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ byte: Int, _ value: UInt8
    ) {
        bytes[trailer(handle) + byte] = value
        refit(handle, kind)
    }

    /// Makes a block's checksum right.
    mutating func refit(_ handle: BlockHandle, _ kind: TableFormat.BlockKind) {
        let place = trailer(handle) + 8
        let seed = Checksum.locationSeed(
            uid: footer.uid, offset: handle.offset, kind: kind.rawValue)
        let sum = Array(bytes[Int(handle.offset)..<place]).withUnsafeBytes {
            Checksum.xxh3($0, seed: seed)
        }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange(place..<(place + 8), with: $0)
        }
    }

    /// Changes what an uncompressed block holds; seal and checksum fit again.
    mutating func rewrite(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ change: (inout [UInt8]) -> Void
    ) throws {
        let (start, end) = (Int(handle.offset), trailer(handle))
        #expect(bytes[end] == BlockCodec.none.rawValue, "the block is compressed")
        var plain = try content(handle, kind)
        let count = plain.count
        change(&plain)
        #expect(plain.count == count)
        if let cipher = blocks.cipher {
            let shape = bytes.withUnsafeBytes { TableSeal.Trailer($0, at: end).shape }
            plain += [UInt8](repeating: 0, count: FileCipher.tagBytes)
            try plain.withUnsafeMutableBytes { room in
                let base = try #require(room.baseAddress)
                try cipher.seal(
                    base, count: count,
                    at: TableSeal.place(footer.uid, kind, handle.offset, shape))
            }
        }
        bytes.replaceSubrange(start..<(start + plain.count), with: plain)
        refit(handle, kind)
    }

    mutating func rewriteProperties(_ change: (inout TableProperties) -> Void) throws {
        var changed = properties
        change(&changed)
        try rewrite(footer.properties, .properties) { $0 = changed.encode() }
    }

    /// Another footer; its checksum fits.
    mutating func refoot(_ change: (inout TableFooter) -> Void) {
        var changed = footer
        change(&changed)
        changed.fileBytes = UInt64(bytes.count)
        bytes.replaceSubrange(
            (bytes.count - TableFormat.footerBytes)..., with: changed.encode())
    }

    /// Changes bytes of the footer, whose checksum fits again.
    mutating func patchFooter(_ change: (inout [UInt8]) -> Void) {
        let start = bytes.count - TableFormat.footerBytes
        var tail = Array(bytes[start...])
        change(&tail)
        let seed = Checksum.locationSeed(
            uid: footer.uid, offset: UInt64(start), kind: TableFormat.BlockKind.footer.rawValue)
        let sum = Array(tail[..<112]).withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) { tail.replaceSubrange(112..<120, with: $0) }
        bytes.replaceSubrange(start..., with: tail)
    }

    // MARK: - Entries

    /// An entry of a data block, by where its parts lie in the block.
    struct Entry {
        var block: BlockHandle
        var kind: UInt8
        var shared: Int
        /// Of what of the key is not shared.
        var suffix: Range<Int>
        var value: Range<Int>
        var kindPlace: Int { suffix.lowerBound - 9 }
        var timestampPlaces: Range<Int> { (suffix.lowerBound - 8)..<suffix.lowerBound }
    }

    /// The entries of each data block.
    func entries() throws -> [[Entry]] {
        try dataBlocks().map { handle -> [Entry] in
            try content(handle, .data).withUnsafeBytes { bytes -> [Entry] in
                let block = DataBlock(validated: bytes)
                var found: [Entry] = []
                var offset = 0
                while offset < block.end {
                    let entry = block.entry(at: offset)
                    let start = entry.suffix - block.base
                    let end = start + entry.suffixLength
                    found.append(
                        Entry(
                            block: handle, kind: entry.kind, shared: entry.shared,
                            suffix: start..<end, value: end..<(end + entry.valueLength)))
                    offset = block.offset(after: entry)
                }
                return found
            }
        }
    }

    /// Three entries in a row of one block, whose keys differ in their last byte; the middle one is a put.
    func neighbours() throws -> [Entry] {
        for block in try entries() {
            for place in 1..<max(block.count - 1, 1) {
                let found = Array(block[(place - 1)...(place + 1)])
                if found[1].kind == OperationKind.put.rawValue,
                    found[1...].allSatisfy({ $0.shared == 15 && $0.suffix.count == 1 })
                {
                    return found
                }
            }
        }
        throw ForgeError(what: "no three keys in a row in \(path)")
    }

    /// The first entry of that kind whose value has another size than a reference.
    func entry(_ kind: OperationKind) throws -> Entry {
        let found = try entries().joined().first {
            $0.kind == kind.rawValue
                && ($0.value.count == BlobReference.byteCount) == (kind == .valueReference)
        }
        return try #require(found)
    }
}

struct ForgeError: Error {
    let what: String
}

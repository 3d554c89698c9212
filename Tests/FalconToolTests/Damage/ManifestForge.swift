import Testing

@testable import FalconStorage

/// The bytes of the live MANIFEST, chunk by chunk; what is built anew has right checksums, and seals.
struct ManifestForge {
    let names: FileNames
    let path: String
    var bytes: [UInt8]
    let contents: ManifestContents
    private(set) var chunks: [Range<Int>] = []
    private let cipher: FileCipher?
    private let headBytes: Int

    init(_ names: FileNames, _ fileSystem: MemoryFileSystem, _ keys: FileKeys?) throws {
        self.names = names
        let number = try #require(try CurrentMarker.read(names, fileSystem))
        let path = names.manifest(number)
        let whole = try fileSystem.contents(of: path)
        let read = try whole.withUnsafeBytes {
            try ManifestReader.parse(
                $0, path: path, number: number, forWriting: false, keys: keys)
        }
        if let envelope = read.envelope {
            let keys = try #require(keys)
            cipher = try keys.cipher(.manifest, envelope, uid: read.uid, path: path)
            headBytes = ManifestFormat.headerBytes + KeyEnvelope.byteCount
        } else {
            cipher = nil
            headBytes = ManifestFormat.headerBytes
        }
        self.path = path
        bytes = whole
        contents = read
        var start = headBytes
        while start < whole.count {
            let length = whole[(start + 4)..<(start + 8)].reversed().reduce(0) {
                $0 << 8 | Int($1)
            }
            let end = start + ManifestFormat.chunkHeaderBytes + length
            chunks.append(start..<end)
            start = end
        }
        #expect(chunks.count == read.edits.count && chunks.count >= 4)
    }

    // MARK: - Chunks

    mutating func flip(_ offset: Int) { bytes[offset] ^= 4 }

    /// Appends a chunk of these bytes as if they were an edit; `sequence` nil: the next.
    mutating func append(raw edit: [UInt8], sequence: UInt64? = nil) throws {
        let sequence = sequence ?? UInt64(chunks.count + 1)
        var payload = edit
        if let cipher {
            payload = try ManifestFormat.seal(
                edit, sequence: sequence, writes: sequence, uid: contents.uid, cipher)
        }
        let chunk = ManifestFormat.chunk(
            payload: payload, sequence: sequence, uid: contents.uid, offset: UInt64(bytes.count))
        chunks.append(bytes.count..<(bytes.count + chunk.count))
        bytes += chunk
    }

    mutating func append(_ change: (inout VersionEdit) -> Void) throws {
        var edit = VersionEdit()
        change(&edit)
        try append(raw: edit.encoded())
    }

    /// Writes other edits behind the header, with the numbers of `sequences`; nil: from 1 on.
    mutating func rebuild(_ edits: [VersionEdit], sequences: [UInt64]? = nil) throws {
        bytes.removeSubrange(headBytes...)
        chunks = []
        for (place, edit) in edits.enumerated() {
            try append(raw: edit.encoded(), sequence: sequences?[place])
        }
    }

    /// Makes a chunk's checksum right.
    mutating func refit(_ chunk: Range<Int>) {
        let head = Array(bytes[chunk.lowerBound..<(chunk.lowerBound + 16)])
        let payload = Array(
            bytes[(chunk.lowerBound + ManifestFormat.chunkHeaderBytes)..<chunk.upperBound])
        let uid = contents.uid
        let sum = head.withUnsafeBytes { head in
            payload.withUnsafeBytes {
                ManifestFormat.checksum(
                    head: head, payload: $0, uid: uid, offset: UInt64(chunk.lowerBound))
            }
        }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange(
                (chunk.lowerBound + 16)..<(chunk.lowerBound + 24), with: $0)
        }
    }

    /// Changes bytes of the header, whose checksum fits again.
    mutating func rehead(_ change: (inout [UInt8]) -> Void) {
        var head = Array(bytes[..<(ManifestFormat.headerBytes - 8)])
        change(&head)
        let sum = head.withUnsafeBytes { Checksum.xxh3($0) }
        withUnsafeBytes(of: sum.littleEndian) { head += Array($0) }
        bytes.replaceSubrange(0..<ManifestFormat.headerBytes, with: head)
    }

    // MARK: - Files

    /// What MANIFEST last says of the file at `path`.
    func addition(_ path: String) throws -> VersionEdit.Addition {
        let found = contents.edits.flatMap(\.added).last {
            names.dataFile($0.file.kind, $0.file.number) == path
        }
        return try #require(found)
    }

    /// Has MANIFEST say something else of the file at `path`, everywhere.
    mutating func change(_ path: String, _ body: (inout FileMetadata) -> Void) throws {
        var edits = contents.edits
        var count = 0
        for edit in edits.indices {
            for place in edits[edit].added.indices {
                let file = edits[edit].added[place].file
                guard names.dataFile(file.kind, file.number) == path else { continue }
                body(&edits[edit].added[place].file)
                count += 1
            }
        }
        #expect(count > 0)
        try rebuild(edits)
    }
}

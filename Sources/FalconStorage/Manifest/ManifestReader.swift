/// What a MANIFEST says, read without changing anything.
struct ManifestContents {
    var number: UInt64
    var uid: UID
    var shard: UID
    var edits: [VersionEdit] = []
    /// The end of the last good chunk.
    var goodBytes: UInt64
    /// Bytes of a torn last chunk.
    var discardedBytes: UInt64
    /// How the key lies in the header of an encrypted manifest.
    var envelope: KeyEnvelope?
    var chunkCount = 0
}

/// Reads a whole MANIFEST and says whether its end is torn or damaged.
enum ManifestReader {
    /// The manifest that CURRENT names; nil without CURRENT. One that is not there is damage, unless a
    /// writer that opened the directory meanwhile has made CURRENT name another.
    static func readLive(
        _ names: FileNames, _ fileSystem: any FileSystem, forWriting: Bool
    ) throws(StorageError) -> ManifestContents? {
        var attempts = 0
        while let number = try CurrentMarker.read(names, fileSystem) {
            do throws(StorageError) {
                return try read(number: number, names, fileSystem, forWriting: forWriting)
            } catch  where error.code == .notFound {
                attempts += 1
                if attempts < 8, try CurrentMarker.read(names, fileSystem) != number { continue }
                throw .corruption(
                    "The manifest that CURRENT names is missing.", path: names.manifest(number),
                    hint: "Restore it from a backup of the same directory.")
            }
        }
        return nil
    }

    /// Checks the structure of the manifest that CURRENT names, which may be encrypted. What its header says, without
    /// an edit; nil without CURRENT.
    static func checkLive(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> ManifestContents? {
        guard let number = try CurrentMarker.read(names, fileSystem) else { return nil }
        let path = names.manifest(number)
        let bytes = try fileSystem.contents(of: path)
        var contents: ManifestContents?
        var failure: StorageError?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) {
                contents = try parse(
                    buffer, path: path, number: number, forWriting: false, checksOnly: true)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return contents
    }

    static func read(
        number: UInt64, _ names: FileNames, _ fileSystem: any FileSystem, forWriting: Bool
    ) throws(StorageError) -> ManifestContents {
        let path = names.manifest(number)
        let bytes = try fileSystem.contents(of: path)
        var result: Result<ManifestContents, StorageError>?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) {
                result = .success(
                    try parse(
                        buffer, path: path, number: number, forWriting: forWriting,
                        keys: fileSystem.keys))
            } catch {
                result = .failure(error)
            }
        }
        guard let result else {
            throw .corruption("The manifest could not be read.", path: path)
        }
        return try result.get()
    }

    static func parse(
        _ bytes: UnsafeRawBufferPointer, path: String, number: UInt64, forWriting: Bool,
        keys: FileKeys? = nil, checksOnly: Bool = false
    ) throws(StorageError) -> ManifestContents {
        var contents = try header(bytes, path: path, number: number, forWriting: forWriting)
        var cipher: FileCipher?
        if let envelope = contents.envelope, !checksOnly {
            cipher = try keys.cipher(.manifest, envelope, uid: contents.uid, path: path)
        }
        var offset = Int(contents.goodBytes)
        var sequence: UInt64 = 1
        while offset < bytes.count {
            guard
                let payload = chunk(bytes, at: offset, uid: contents.uid), payload.1 == sequence
            else {
                if let later = validChunk(in: bytes, after: offset, uid: contents.uid) {
                    throw .corruption(
                        "A manifest chunk is damaged; a later one at offset \(later) is whole, so "
                            + "this is not a torn tail.", path: path, offset: UInt64(offset),
                        hint: "Restore from a backup or another replica.")
                }
                contents.discardedBytes = UInt64(bytes.count - offset)
                break
            }
            if !checksOnly {
                contents.edits.append(
                    try edit(payload.0, sequence, contents.uid, cipher, path, offset))
            }
            contents.chunkCount += 1
            offset += ManifestFormat.chunkHeaderBytes + payload.0.count
            contents.goodBytes = UInt64(offset)
            sequence += 1
        }
        guard contents.chunkCount > 0 else {
            throw .corruption(
                "The manifest that CURRENT names holds no whole edit.", path: path,
                offset: UInt64(ManifestFormat.headerBytes))
        }
        return contents
    }

    private static func edit(
        _ payload: UnsafeRawBufferPointer, _ sequence: UInt64, _ uid: UID, _ cipher: FileCipher?,
        _ path: String, _ offset: Int
    ) throws(StorageError) -> VersionEdit {
        var edit: VersionEdit?
        if let cipher {
            guard
                let opened = ManifestFormat.open(payload, sequence: sequence, uid: uid, cipher)
            else {
                throw .corruption(
                    "A manifest chunk fails its authentication.", path: path,
                    offset: UInt64(offset))
            }
            var failure: StorageError?
            opened.withUnsafeBytes { bytes in
                do throws(StorageError) {
                    edit = try VersionEdit.decode(bytes, path: path)
                } catch { failure = error }
            }
            if let failure { throw failure }
        } else {
            edit = try VersionEdit.decode(payload, path: path)
        }
        guard let edit, edit.isSnapshot == (sequence == 1) else {
            throw .corruption(
                "A manifest chunk's checksum fits but its edit makes no sense.", path: path,
                offset: UInt64(offset))
        }
        return edit
    }

    private static func header(
        _ bytes: UnsafeRawBufferPointer, path: String, number: UInt64, forWriting: Bool
    ) throws(StorageError) -> ManifestContents {
        var reader = ByteReader(bytes)
        guard bytes.count >= ManifestFormat.headerBytes,
            reader.readBytes(8).map({ $0.elementsEqual(ManifestFormat.magic) }) == true,
            let version = reader.readFixed(UInt16.self), reader.skip(2),
            let features = FeatureBits(&reader), let stored = reader.readFixed(UInt64.self),
            let uid = reader.readUID(), let shard = reader.readUID(),
            let sum = reader.readFixed(UInt64.self),
            sum
                == Checksum.xxh3(
                    UnsafeRawBufferPointer(rebasing: bytes[..<(ManifestFormat.headerBytes - 8)]))
        else {
            throw .corruption(
                "The manifest's header is damaged, or this is not a manifest.", path: path,
                offset: 0)
        }
        try features.check(version: version, path: path, forWriting: forWriting)
        guard stored == number else {
            throw .corruption(
                "The manifest says it is number \(FileNames.hex(stored)).", path: path, offset: 36)
        }
        var contents = ManifestContents(
            number: number, uid: uid, shard: shard,
            goodBytes: UInt64(ManifestFormat.headerBytes), discardedBytes: 0)
        guard features.readIncompatible & FeatureBits.encryption != 0 else { return contents }
        guard bytes.count >= ManifestFormat.headerBytes + KeyEnvelope.byteCount,
            let envelope = KeyEnvelope.decode(
                UnsafeRawBufferPointer(rebasing: bytes[ManifestFormat.headerBytes...]), uid: uid)
        else {
            throw .corruption(
                "The manifest's wrapped key is damaged.", path: path,
                offset: UInt64(ManifestFormat.headerBytes))
        }
        contents.envelope = envelope
        contents.goodBytes += UInt64(KeyEnvelope.byteCount)
        return contents
    }

    /// The payload and sequence of a whole chunk at `offset`.
    private static func chunk(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, uid: UID
    ) -> (UnsafeRawBufferPointer, UInt64)? {
        guard bytes.count - offset >= ManifestFormat.chunkHeaderBytes else { return nil }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
        guard reader.readFixed(UInt32.self) == ManifestFormat.chunkMagic,
            let length = reader.readFixed(UInt32.self),
            length <= ManifestFormat.largestPayloadBytes,
            let sequence = reader.readFixed(UInt64.self), let sum = reader.readFixed(UInt64.self),
            let payload = reader.readBytes(Int(length))
        else { return nil }
        let head = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + 16)])
        let expected = ManifestFormat.checksum(
            head: head, payload: payload, uid: uid, offset: UInt64(offset))
        return sum == expected ? (payload, sequence) : nil
    }

    private static func validChunk(
        in bytes: UnsafeRawBufferPointer, after offset: Int, uid: UID
    ) -> Int? {
        var candidate = offset + 1
        while candidate + ManifestFormat.chunkHeaderBytes <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: candidate, as: UInt32.self)
            if UInt32(littleEndian: word) == ManifestFormat.chunkMagic,
                chunk(bytes, at: candidate, uid: uid) != nil
            {
                return candidate
            }
            candidate += 1
        }
        return nil
    }
}

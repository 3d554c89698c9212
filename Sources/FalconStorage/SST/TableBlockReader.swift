#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads blocks of one file and proves them: place, checksum, codec, structure.
struct TableBlockReader {
    let file: any File
    let footer: TableFooter
    /// What data blocks were compressed with; loaded by ``loadDictionary(_:)``.
    var dictionary: ZstdDictionary?

    func damaged(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ why: String
    ) -> StorageError {
        .corruption("The \(kind) block \(why).", path: file.path, offset: handle.offset)
    }

    /// A filter's probes share a cache line. Other blocks do without: an allocator leaves holes where
    /// it has to align.
    private func alignment(_ kind: TableFormat.BlockKind) -> Int { kind == .filter ? 64 : 16 }

    /// Reads a block into memory that the pin owns.
    func load(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ pin: inout BlockPin
    ) throws(StorageError) {
        try check(handle, kind)
        let stored = Int(handle.payloadBytes) + TableFormat.trailerBytes
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: stored, alignment: alignment(kind))
        var got = 0
        do throws(StorageError) {
            got = try file.readFully(
                into: buffer, at: handle.offset, mayWait: pin.mayWait)
        } catch {
            buffer.deallocate()
            throw error
        }
        guard got == stored else {
            buffer.deallocate()
            throw damaged(handle, kind, "is cut off by the file's end")
        }
        try unseal(handle, kind, buffer, isOwned: true, &pin)
    }

    /// The handle lies between header and footer.
    func check(_ handle: BlockHandle, _ kind: TableFormat.BlockKind) throws(StorageError) {
        let limit = footer.fileBytes - UInt64(TableFormat.footerBytes)
        let size = UInt64(handle.payloadBytes) + UInt64(TableFormat.trailerBytes)
        guard handle.payloadBytes > 0, handle.offset >= UInt64(TableFormat.headerBytes),
            handle.offset <= limit, size <= limit - handle.offset
        else { throw damaged(handle, kind, "lies outside the file") }
    }

    /// Checks payload and trailer in `stored`, and leaves the block, decompressed, to the pin.
    /// `isOwned`: `stored` came from `allocate` and is freed or given to the pin here.
    func unseal(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind,
        _ stored: UnsafeMutableRawBufferPointer, isOwned: Bool, _ pin: inout BlockPin
    ) throws(StorageError) {
        var keepsStored = false
        defer { if isOwned && !keepsStored { stored.deallocate() } }
        let payload = Int(handle.payloadBytes)
        let bytes = UnsafeRawBufferPointer(stored)
        let codecByte = bytes[payload]
        let keyID = bytes[payload + 1]
        let rawBytes = Int(bytes.loadUnaligned(fromByteOffset: payload + 4, as: UInt32.self))
        let checksum = bytes.loadUnaligned(fromByteOffset: payload + 8, as: UInt64.self)
        let seed = Checksum.locationSeed(
            uid: footer.uid, offset: handle.offset, kind: kind.rawValue)
        let covered = UnsafeRawBufferPointer(rebasing: bytes[0..<(payload + 8)])
        guard Checksum.xxh3(covered, seed: seed) == checksum else {
            throw damaged(handle, kind, "fails its checksum")
        }
        guard bytes[payload + 2] == kind.rawValue else {
            throw damaged(handle, kind, "is another kind")
        }
        guard keyID == 0 else {
            throw StorageError(
                .keyMissing, kind: .user, "The block is encrypted with key \(keyID).",
                location: .init(path: file.path, offset: handle.offset))
        }
        guard let codec = BlockCodec(rawValue: codecByte),
            bytes[payload + 3] == 0 || (bytes[payload + 3] == 1 && codec == .zstd)
        else { throw damaged(handle, kind, "has unknown codec \(codecByte)") }
        let packed = UnsafeRawBufferPointer(rebasing: bytes[0..<payload])
        if codec == .none {
            guard rawBytes == payload else { throw damaged(handle, kind, "has a wrong size") }
            if let why = validate(kind, packed) { throw damaged(handle, kind, why) }
            if isOwned {
                keepsStored = true
                pin.own(packed)
                return
            }
        }
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(rawBytes, 1), alignment: alignment(kind))
        let target = UnsafeMutableRawBufferPointer(rebasing: room[0..<rawBytes])
        let isRestored: Bool
        if bytes[payload + 3] == 0 {
            isRestored = BlockCompression.decompress(codec, packed, into: target)
        } else {
            isRestored = dictionary?.decompress(packed, into: target) ?? false
        }
        guard isRestored else {
            room.deallocate()
            throw damaged(handle, kind, "does not decompress")
        }
        if codec != .none, let why = validate(kind, UnsafeRawBufferPointer(target)) {
            room.deallocate()
            throw damaged(handle, kind, why)
        }
        pin.own(UnsafeRawBufferPointer(target))
    }

    /// Loads the dictionary that the properties name.
    mutating func loadDictionary(_ properties: TableProperties) throws(StorageError) {
        let handle = properties.dictionary
        guard !handle.isAbsent else { return }
        var pin = BlockPin()
        try load(handle, .dictionary, &pin)
        dictionary = ZstdDictionary(Array(pin.bytes))
        pin.release()
        if dictionary == nil { throw damaged(handle, .dictionary, "is no dictionary") }
    }

    private func validate(
        _ kind: TableFormat.BlockKind, _ bytes: UnsafeRawBufferPointer
    ) -> String? {
        switch kind {
        case .data: DataBlock.validate(bytes)
        case .index: IndexBlock.validate(bytes)
        case .filter: BloomFilter.validate(bytes)
        default: nil
        }
    }
}

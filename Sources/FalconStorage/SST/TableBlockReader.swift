#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads blocks of one file and proves them: place, checksum, codec, structure.
struct TableBlockReader {
    let file: any File
    let footer: TableFooter
    /// Opens encrypted blocks; nil: without the key.
    var cipher: FileCipher?
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
        guard handle.payloadBytes > 0, handle.offset >= footer.bodyOffset,
            handle.offset <= limit, size <= limit - handle.offset
        else { throw damaged(handle, kind, "lies outside the file") }
    }

    /// Checks payload and trailer in `stored`, and leaves the block, decompressed, to the pin.
    /// `isOwned`: `stored` came from `allocate` and is freed or given to the pin here.
    func unseal(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind,
        _ stored: UnsafeMutableRawBufferPointer, isOwned: Bool, _ pin: inout BlockPin
    ) throws(StorageError) {
        do throws(StorageError) {
            try prove(handle, kind, UnsafeRawBufferPointer(stored))
            if footer.isSealed {
                try decrypt(handle, kind, stored, isOwned: isOwned, &pin)
            } else {
                try restore(
                    handle, kind, stored, payload: Int(handle.payloadBytes), isOwned: isOwned,
                    &pin)
            }
        } catch {
            if isOwned { stored.deallocate() }
            throw error
        }
    }

    /// The bytes are a block of that kind and place, as it was written: what can be known without a key.
    func prove(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ bytes: UnsafeRawBufferPointer
    ) throws(StorageError) {
        let payload = Int(handle.payloadBytes)
        let keyID = bytes[payload + 1]
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
        guard keyID == (footer.isSealed ? 1 : 0) else {
            throw damaged(
                handle, kind,
                keyID == 0 ? "of an encrypted table is plain" : "of a plain table is encrypted")
        }
        guard let codec = BlockCodec(rawValue: bytes[payload]),
            bytes[payload + 3] == 0 || (bytes[payload + 3] == 1 && codec == .zstd)
        else { throw damaged(handle, kind, "has unknown codec \(bytes[payload])") }
    }

    /// Decrypts a proven block and restores it.
    private func decrypt(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind,
        _ stored: UnsafeMutableRawBufferPointer, isOwned: Bool, _ pin: inout BlockPin
    ) throws(StorageError) {
        guard let cipher else { throw FileKeys.missing(try envelope().keyID, file.path) }
        let payload = Int(handle.payloadBytes)
        let plain = payload - TableFormat.sealBytes
        guard plain >= 0 else { throw damaged(handle, kind, "has a wrong size") }
        // What is not ours may be read again: it stays as it is.
        let target =
            isOwned
            ? stored
            : .allocate(byteCount: stored.count, alignment: alignment(kind))
        let trailer = TableSeal.Trailer(UnsafeRawBufferPointer(stored), at: payload)
        let sealed = UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(stored)[0..<(plain + FileCipher.tagBytes)])
        guard let base = target.baseAddress,
            cipher.open(
                sealed, into: base,
                at: TableSeal.place(footer.uid, kind, handle.offset, trailer.shape))
        else {
            if !isOwned { target.deallocate() }
            throw damaged(handle, kind, "fails its authentication")
        }
        trailer.store(into: target, at: plain)
        do throws(StorageError) {
            try restore(handle, kind, target, payload: plain, isOwned: true, &pin)
        } catch {
            if !isOwned { target.deallocate() }
            throw error
        }
    }

    /// The bytes are the block as it was written, and, where the key is at hand, as its writer encrypted it.
    func authenticate(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind, _ bytes: UnsafeRawBufferPointer
    ) throws(StorageError) {
        try prove(handle, kind, bytes)
        guard let cipher, footer.isSealed else { return }
        let payload = Int(handle.payloadBytes)
        let plain = payload - TableFormat.sealBytes
        guard plain >= 0 else { throw damaged(handle, kind, "has a wrong size") }
        let target = UnsafeMutableRawPointer.allocate(byteCount: max(plain, 1), alignment: 16)
        defer { target.deallocate() }
        let shape = TableSeal.Trailer(bytes, at: payload).shape
        let sealed = UnsafeRawBufferPointer(rebasing: bytes[0..<(plain + FileCipher.tagBytes)])
        let place = TableSeal.place(footer.uid, kind, handle.offset, shape)
        guard cipher.open(sealed, into: target, at: place) else {
            throw damaged(handle, kind, "fails its authentication")
        }
    }

    private func envelope() throws(StorageError) -> KeyEnvelope {
        try TableHeader.envelope(file, uid: footer.uid)
    }

    /// Decompresses and validates a proven, plain block of `payload` bytes before its trailer. When it throws,
    /// `stored` is the caller's still.
    private func restore(
        _ handle: BlockHandle, _ kind: TableFormat.BlockKind,
        _ stored: UnsafeMutableRawBufferPointer, payload: Int, isOwned: Bool,
        _ pin: inout BlockPin
    ) throws(StorageError) {
        let bytes = UnsafeRawBufferPointer(stored)
        let codec = BlockCodec(rawValue: bytes[payload]) ?? .none
        let rawBytes = Int(bytes.loadUnaligned(fromByteOffset: payload + 4, as: UInt32.self))
        let packed = UnsafeRawBufferPointer(rebasing: bytes[0..<payload])
        if codec == .none {
            guard rawBytes == payload else { throw damaged(handle, kind, "has a wrong size") }
            if let why = validate(kind, packed) { throw damaged(handle, kind, why) }
            if isOwned {
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
        if isOwned { stored.deallocate() }
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

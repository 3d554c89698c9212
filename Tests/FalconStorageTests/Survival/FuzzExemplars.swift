@testable import FalconStorage

/// Sound inputs for each decoder of a ``FuzzTarget``, from a small real directory.
enum FuzzExemplars {
    private static let largestBytes = 24 << 10

    static func inputs(_ target: FuzzTarget, _ exemplar: DamageExemplar) throws -> [[UInt8]] {
        switch target {
        case .wal: try wal(exemplar)
        case .table: try table(exemplar)
        case .manifest: try manifest(exemplar)
        }
    }

    /// The input that has the decoder of that name decode `bytes`.
    private static func input(
        _ target: FuzzTarget, _ name: String, _ bytes: some Sequence<UInt8>
    ) -> [UInt8] {
        let number = target.decoders.firstIndex { $0.name == name } ?? 0
        return [UInt8(number)] + Array(bytes.prefix(largestBytes))
    }

    private static func wal(_ exemplar: DamageExemplar) throws -> [[UInt8]] {
        var inputs: [[UInt8]] = []
        for file in exemplar.files(".wal").prefix(3) {
            let bytes = try exemplar.fileSystem.contents(of: file.path)
            inputs.append(input(.wal, "segment", bytes))
        }
        let names: [WALRecordTag: String] = [
            .commit: "commit", .batchPart: "batch part", .incarnation: "incarnation",
            .closedTimestamp: "closed timestamp", .checkpoint: "checkpoint",
            .restorePoint: "restore point",
        ]
        var counts: [String: Int] = [:]
        let reader = try WALReader(directory: "/db/wal", fileSystem: exemplar.fileSystem)
        while let record = try reader.next() {
            guard let name = names[record.tag], counts[name, default: 0] < 6 else { continue }
            counts[name, default: 0] += 1
            inputs.append(input(.wal, name, record.body))
        }
        let incarnation = IncarnationRecord(
            branch: .zero, parent: .zero, forkLSN: LSN(1), incarnation: 2, epoch: 3, wallMicros: 4,
            transactionFloor: TransactionID(5), timestampFloor: Timestamp(6))
        inputs.append(input(.wal, "incarnation", incarnation.encoded()))
        let checkpoint = CheckpointRecord(
            replayLSN: LSN(9), timestamp: Timestamp(8), wallMicros: 7,
            catalog: [.init(key: [1, 2, 3], value: [4, 5])])
        inputs.append(input(.wal, "checkpoint", checkpoint.encoded()))
        inputs.append(
            input(
                .wal, "restore point",
                RestorePointRecord(name: "before", timestamp: Timestamp(8), wallMicros: 7).encoded()
            ))
        return inputs
    }

    private static func table(_ exemplar: DamageExemplar) throws -> [[UInt8]] {
        var inputs: [[UInt8]] = []
        for (number, file) in exemplar.files(".sst").prefix(4).enumerated() {
            let bytes = try exemplar.fileSystem.contents(of: file.path)
            inputs.append([7] + bytes)
            let opened = try exemplar.fileSystem.open(file.path, .read)
            let reader = try TableReader.open(
                file: opened, uid: nil, size: UInt64(file.bytes), cache: nil)
            let blocks = reader.blocks
            var pin = BlockPin()
            func block(
                _ name: String, _ handle: BlockHandle, _ kind: TableFormat.BlockKind
            ) throws {
                if handle.isAbsent { return }
                try blocks.load(handle, kind, &pin)
                inputs.append(input(.table, name, pin.bytes))
            }
            try block("index block", reader.footer.index, .index)
            if reader.footer.filterLines == 0 {
                try block("filter", reader.footer.filter, .filter)
            }
            try block("properties", reader.footer.properties, .properties)
            try block("range tombstones", reader.footer.rangeTombstones, .rangeTombstones)
            if number > 0 { continue }
            for place in 0..<min(reader.index?.count ?? 0, 6) {
                guard let handle = reader.index?.handle(place) else { continue }
                try block("data block", handle, .data)
            }
        }
        let text = [UInt8](repeating: 7, count: 300) + Array(0..<200)
        for (name, codec) in [("lz4", BlockCodec.lz4), ("zstd", .zstd)] {
            let target = UnsafeMutableRawBufferPointer.allocate(
                byteCount: BlockCompression.bound(codec, text.count), alignment: 16)
            defer { target.deallocate() }
            let size = text.withUnsafeBytes { BlockCompression.compress(codec, $0, into: target) }
            inputs.append(
                input(
                    .table, name,
                    [UInt8(text.count & 255), UInt8(text.count >> 8)]
                        + target.prefix(size ?? 0)))
        }
        return inputs
    }

    private static func manifest(_ exemplar: DamageExemplar) throws -> [[UInt8]] {
        var inputs: [[UInt8]] = []
        for file in exemplar.files("MANIFEST") {
            let bytes = try exemplar.fileSystem.contents(of: file.path)
            inputs.append(input(.manifest, "manifest", bytes))
            guard let digits = file.path.split(separator: "-").last,
                let number = UInt64(digits, radix: 16)
            else { continue }
            let contents = try bytes.withUnsafeBytes {
                try ManifestReader.parse($0, path: "M", number: number, forWriting: false)
            }
            for edit in contents.edits.prefix(12) {
                inputs.append(input(.manifest, "edit", edit.encoded()))
            }
        }
        for (name, part) in [("current", "CURRENT"), ("format", "FORMAT")] {
            for file in exemplar.files(part) {
                inputs.append(
                    input(.manifest, name, try exemplar.fileSystem.contents(of: file.path)))
            }
        }
        return inputs
    }
}

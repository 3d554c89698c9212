import FalconStorage

extension Calibrator {
    private static let page = 4096
    private static let filePages = 4096

    /// The file limits, measured in a new directory under `parent` that is removed afterwards.
    func files(in parent: String, syncs: Int) throws(StorageError) -> Figures {
        let files = context.fileSystem
        let name = FileNames.hex(context.environment.random.next())
        let directory = parent + "/falcon-calibrate-" + name
        try files.createDirectory(directory)
        let path = directory + "/file"
        var figures: Figures = []
        do throws(StorageError) {
            figures += try transfers(path)
            for (kind, middle, tail) in [
                (SyncedFile.growing, BenchLimit.syncGrowing, BenchLimit.syncGrowingTail),
                (.preallocated, .syncPreallocated, .syncPreallocatedTail),
                (.overwritten, .syncOverwritten, .syncOverwrittenTail),
            ] {
                let latency = try self.syncs(path, kind, count: syncs)
                figures.append((middle, latency.percentile(50) / 1000))
                figures.append((tail, latency.percentile(99) / 1000))
            }
        } catch {
            try? files.remove(path)
            try? files.removeDirectory(directory)
            throw error
        }
        try files.removeDirectory(directory)
        return figures
    }

    /// What is written before each sync.
    private enum SyncedFile { case growing, preallocated, overwritten }

    private func withPage<R>(
        _ body: (UnsafeMutableRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.page, alignment: Self.page)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0xA5)
        return try body(buffer)
    }

    private func fill(_ file: any File, pages: Int) throws(StorageError) {
        try withPage { (buffer) throws(StorageError) in
            for i in 0..<pages {
                try file.write(UnsafeRawBufferPointer(buffer), at: UInt64(i * Self.page))
            }
        }
    }

    private func transfers(_ path: String) throws(StorageError) -> Figures {
        let file = try context.fileSystem.open(path, .create)
        try fill(file, pages: Self.filePages)
        var random = SplitMix64(seed: 2)
        let (reading, writing) = try withPage { (buffer) throws(StorageError) in
            func place() -> UInt64 { random.next() % UInt64(Self.filePages) * UInt64(Self.page) }
            let reading = try nanosPerCall { () throws(StorageError) in
                _ = try file.read(into: buffer, at: place())
            }
            let writing = try nanosPerCall { () throws(StorageError) in
                try file.write(UnsafeRawBufferPointer(buffer), at: place())
            }
            return (reading, writing)
        }
        try file.close()
        try context.fileSystem.remove(path)
        return [(.pread, reading / 1000), (.pwrite, writing / 1000)]
    }

    private func syncs(
        _ path: String, _ kind: SyncedFile, count: Int
    ) throws(StorageError) -> LatencyHistogram {
        let file = try context.fileSystem.open(path, .create)
        switch kind {
        case .growing: break
        case .preallocated: try file.allocate(to: UInt64(count * Self.page))
        case .overwritten: try fill(file, pages: count)
        }
        try file.syncData()
        let clock = context.environment.clock
        let latency = LatencyHistogram()
        try withPage { (buffer) throws(StorageError) in
            for i in 0..<count {
                let start = clock.monotonicNanos()
                try file.write(UnsafeRawBufferPointer(buffer), at: UInt64(i * Self.page))
                try file.syncData()
                latency.record(clock.monotonicNanos() &- start)
            }
        }
        try file.close()
        try context.fileSystem.remove(path)
        return latency
    }
}

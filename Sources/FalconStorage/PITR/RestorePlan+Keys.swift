extension RestorePlan {
    /// The wrapping keys over the files that the restore reads, by their numbers in KEYS, ascending; empty where
    /// nothing of it is encrypted.
    public func keyIDs(_ fileSystem: any FileSystem) throws(StorageError) -> [UInt64] {
        var found = Set<UInt64>()
        if copiesTables {
            for addition in source.tables?.files ?? [] { found.insert(addition.file.keyID) }
        }
        let names = FileNames(root: source.root)
        var segments: [WALSegmentHeader] = []
        for name in try fileSystem.list(names.walDirectory) {
            guard case .walSegment = FileNames.parse(name) else { continue }
            do throws(StorageError) {
                let path = names.walDirectory + "/" + name
                if case .header(let header) = try WALDirectory.readHeader(path, fileSystem) {
                    segments.append(header)
                }
            } catch  where error.code == .notFound {
                // A live server has released it: the restore does without it, or says so.
            }
        }
        segments.sort { $0.segment < $1.segment }
        for (index, header) in segments.enumerated() where header.firstLSN < endLSN {
            let next = index + 1 < segments.count ? segments[index + 1].firstLSN : nil
            if next.map({ $0 > startLSN }) ?? true { found.insert(header.keyID) }
        }
        found.remove(0)
        return found.sorted()
    }
}

extension FileSystem {
    /// Writes `bytes` under a temporary name, syncs, renames over `path` and syncs the directory:
    /// a crash leaves the old content or the new.
    func replace(_ path: String, with bytes: [UInt8]) throws(StorageError) {
        let temporary = FileNames.temporary(path)
        if try exists(temporary) { try remove(temporary) }
        let file = try open(temporary, .create)
        do throws(StorageError) {
            try file.write(bytes, at: 0)
            try file.syncData()
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
        try rename(temporary, to: path)
        try syncDirectory(VFSPath.parent(of: path))
    }
}

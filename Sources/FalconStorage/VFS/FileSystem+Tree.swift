extension FileSystem {
    /// Removes a directory and all below it.
    func removeTree(_ path: String) throws(StorageError) {
        for name in try list(path) {
            let inner = path + "/" + name
            if try isDirectory(inner) { try removeTree(inner) } else { try remove(inner) }
        }
        try removeDirectory(path)
    }
}

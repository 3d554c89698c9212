import Foundation
import Testing

@testable import FalconStorage

/// What lies below a directory of the disk: kind, inode, mode, links, size, times of change; bytes of files.
func directoryState(_ path: String) throws -> [String: String] {
    var found: [String: String] = [:]
    var paths = [path]
    while let next = paths.popLast() {
        var info = stat()
        #expect(lstat(next, &info) == 0)
        found[next] =
            "\(info.st_ino) \(info.st_mode) \(info.st_nlink) \(info.st_size) "
            + "\(info.st_mtim.tv_sec).\(info.st_mtim.tv_nsec) "
            + "\(info.st_ctim.tv_sec).\(info.st_ctim.tv_nsec)"
        if info.st_mode & S_IFMT == S_IFDIR {
            paths += try FileManager.default.contentsOfDirectory(atPath: next).map {
                next + "/" + $0
            }
        } else {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: next)))
            found[next]? += bytes.withUnsafeBytes { " \(Checksum.xxh3($0))" }
        }
    }
    return found
}

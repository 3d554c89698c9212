import Glibc

@testable import FalconStorage

/// How a call fails.
enum FaultKind: String, CaseIterable, Sendable {
    case ioError, diskFull, diskFullForAWhile, diskFullForGood, interrupted
    case shortWrite, shortWriteOnAFullDisk, shortRead, emptyRead, readError, failedSync
    case failedDirectorySync, ioErrorForGood

    /// The `index`-th call that this kind strikes, and those after it where it lasts.
    func rule(_ index: Int) -> FaultRule {
        switch self {
        case .ioError: FaultRule(.mutating, index: index, errno: EIO)
        case .diskFull: FaultRule(.mutating, index: index, errno: ENOSPC)
        case .diskFullForAWhile: FaultRule(.mutating, index: index, count: 12, errno: ENOSPC)
        case .diskFullForGood:
            FaultRule(.operation(.write), index: index, count: .max, errno: ENOSPC)
        case .interrupted: FaultRule(.any, index: index, errno: EINTR)
        case .shortWrite: FaultRule(.operation(.write), index: index, errno: EIO, partialBytes: 100)
        case .shortWriteOnAFullDisk:
            FaultRule(.operation(.write), index: index, count: 2, errno: ENOSPC, partialBytes: 37)
        case .shortRead:
            FaultRule(.reading, index: index, errno: 0, partialBytes: 100, isShortRead: true)
        case .emptyRead:
            FaultRule(.reading, index: index, errno: 0, partialBytes: 0, isShortRead: true)
        case .readError: FaultRule(.reading, index: index, errno: EIO)
        case .failedSync: FaultRule(.operation(.sync), index: index, errno: EIO)
        case .failedDirectorySync:
            FaultRule(.operation(.syncDirectory), index: index, errno: EIO)
        case .ioErrorForGood: FaultRule(.mutating, index: index, count: .max, errno: EIO)
        }
    }

    /// Calls in a run that the kind could strike are counted by a rule that never does.
    var counting: FaultRule {
        var rule = rule(.max)
        rule.count = 0
        return rule
    }

    /// A commit that is in the log's buffer waits for room: nobody waits for the commit.
    var blocksCommits: Bool { self == .diskFullForGood }
    var endsByItself: Bool { self != .diskFullForGood && self != .ioErrorForGood }
}

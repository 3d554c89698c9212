import FalconStorage

/// How a tool ends, as the process's exit code. Values are a contract with scripts.
public enum ToolExit: Int32, Sendable, CaseIterable {
    case clean = 0
    case usage = 1
    /// Or, of falconctl: the server refused.
    case corruption = 2
    /// A torn tail, an orphan: nothing is lost.
    case benign = 3
    case io = 4
    case inUse = 5
    /// Or, of falconctl: the server does not admit the user.
    case keyMissing = 6
    case unreachable = 7
    case interrupted = 8

    /// Rank among the findings of one run: the greatest wins.
    var badness: Int {
        switch self {
        case .clean: 0
        case .benign: 1
        case .inUse: 2
        case .interrupted: 3
        case .unreachable: 4
        case .keyMissing: 5
        case .usage: 6
        case .io: 7
        case .corruption: 8
        }
    }

    /// The worse of two.
    public func worse(_ other: ToolExit) -> ToolExit { other.badness > badness ? other : self }
}

extension StorageErrorCode {
    /// The exit code of a tool that an error of this code ended.
    var toolExit: ToolExit {
        switch self {
        case .corruption: .corruption
        case .invalidArgument, .alreadyExists, .unsupportedFormat: .usage
        case .inUse: .inUse
        case .keyMissing: .keyMissing
        case .targetUnreachable, .targetPassed, .noBackup, .logGap, .snapshotTooOld: .unreachable
        case .cancelled: .interrupted
        default: .io
        }
    }
}

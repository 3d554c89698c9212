import FalconSchema

/// Where a cursor stands, counted as PostgreSQL counts: before its first row, on row `row`, or behind its last,
/// `row` then being how many there are.
struct CursorPosition {
    var isAtStart = true
    var isAtEnd = false
    var row = 0
    var isOnRow: Bool { !isAtStart && !isAtEnd }
    /// The row it stands on or behind, when it is behind the last the one after that.
    var place: Int { isAtEnd ? row + 1 : row }
}

/// A FETCH or MOVE taken apart into steps, each of which may have to wait.
final class CursorMove {
    enum Step {
        /// To before the first row.
        case rewind
        case forward(Int, sends: Bool)
        case backward(Int, sends: Bool)
    }

    var steps: [Step] = []
    /// Rows gone over in the step under way, and in the last that ended.
    var moved = 0
    var result = 0
    /// Rows on their way to an Execute with a row limit.
    var buffer: CursorRows?

    static let all = Int.max

    init(_ steps: [Step]) { self.steps = steps }

    /// PostgreSQL's rules of where FETCH goes.
    init(_ fetch: AST.Fetch, from position: CursorPosition) {
        let sends = !fetch.isMove
        var count = Self.clamped(fetch.count)
        var isForward = fetch.direction != .backward
        switch fetch.direction {
        case .absolute:
            steps = Self.absolute(count, from: position, sends)
            return
        case .relative where count != 0:
            let others = abs(count) - 1
            steps =
                count > 0
                ? [.forward(others, sends: false), .forward(1, sends: sends)]
                : [.backward(others, sends: false), .backward(1, sends: sends)]
            return
        default: break
        }
        if count < 0 {
            count = -count
            isForward.toggle()
        }
        if count == 0 {
            // The current row once more.
            if position.isOnRow {
                if sends {
                    steps = [.backward(1, sends: false), .forward(1, sends: true)]
                } else {
                    result = 1
                }
            }
        } else if !isForward, count == Self.all, !sends {
            let passed = position.row > 0 && !position.isAtEnd ? position.row - 1 : position.row
            steps = [.rewind]
            result = passed
        } else {
            steps = [isForward ? .forward(count, sends: sends) : .backward(count, sends: sends)]
        }
    }

    /// ALL stays ALL, backward, too.
    private static func clamped(_ count: Int64) -> Int {
        count == .min ? -all : Int(clamping: count)
    }

    private static func absolute(
        _ count: Int, from position: CursorPosition, _ sends: Bool
    ) -> [Step] {
        if count == 0 { return [.rewind] }
        if count < 0 {
            return [
                .forward(all, sends: false), .backward(-count - 1, sends: false),
                .backward(1, sends: sends),
            ]
        }
        let place = position.place
        if count - 1 <= position.row / 2 {
            return [.rewind, .forward(count - 1, sends: false), .forward(1, sends: sends)]
        }
        if count <= place {
            return [.backward(place - count + 1, sends: false), .forward(1, sends: sends)]
        }
        return [.forward(count - place - 1, sends: false), .forward(1, sends: sends)]
    }
}

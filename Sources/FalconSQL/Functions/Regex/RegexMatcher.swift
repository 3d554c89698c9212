import FalconSchema
import Synchronization

/// A compiled pattern with its two machines: states in parallel for a plain test (linear time), and
/// backtracking with a step limit when groups are wanted.
final class RegexPattern: Sendable {
    let program: RegexProgram
    private static let stepLimit = 20_000_000

    private init(_ program: RegexProgram) { self.program = program }

    private struct Key: Hashable {
        var pattern: String
        var flags: String
        static func == (a: Key, b: Key) -> Bool {
            a.pattern.utf8.elementsEqual(b.pattern.utf8) && a.flags == b.flags
        }
        func hash(into hasher: inout Hasher) {
            for byte in pattern.utf8 { hasher.combine(byte) }
            hasher.combine(flags)
        }
    }
    private static let cache = Mutex<[Key: RegexPattern]>([:])

    /// The pattern with flag letters as regexp_replace takes them (`g` is the caller's).
    static func compile(_ pattern: String, flags: String = "") throws(SQLError) -> RegexPattern {
        let key = Key(pattern: pattern, flags: flags)
        if let known = cache.withLock({ $0[key] }) { return known }
        var options = RegexParser.Options()
        for flag in flags {
            switch flag {
            case "i": options.ignoresCase = true
            case "c": options.ignoresCase = false
            case "n", "m":
                options.dotExcludesNewline = true
                options.anchorsMatchLines = true
            case "p": options.dotExcludesNewline = true
            case "w": options.anchorsMatchLines = true
            case "s":
                options.dotExcludesNewline = false
                options.anchorsMatchLines = false
            case "x": options.isExpanded = true
            case "q": options.isLiteral = true
            case "t", "e", "b", "g": break
            default:
                throw SQLError(
                    .invalidParameterValue,
                    "invalid regular expression option: \"\(flag)\"")
            }
        }
        let made = RegexPattern(try RegexParser.compile(pattern, options))
        cache.withLock {
            if $0.count >= 512 { $0.removeAll() }
            $0[key] = made
        }
        return made
    }

    static func scalars(_ text: String, _ context: FunctionContext) throws(SQLError) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            result.append(scalar.value)
            if result.count & 0xF_FFFF == 0 { try context.checkInterrupts() }
        }
        return result
    }

    /// True when the pattern matches somewhere.
    func matches(_ text: [UInt32], _ context: FunctionContext) throws(SQLError) -> Bool {
        if program.needsBacktracking { return try match(text, from: 0, context) != nil }
        return try simulate(text, context)
    }

    // MARK: Parallel states

    private func simulate(
        _ text: [UInt32], _ context: FunctionContext
    ) throws(SQLError) -> Bool {
        let code = program.code
        var current: [Int] = []
        var next: [Int] = []
        var mark = [Int](repeating: -1, count: code.count)
        var stack: [Int] = []
        var matched = false
        func add(_ start: Int, _ position: Int, _ list: inout [Int]) {
            stack.append(start)
            while let at = stack.popLast() {
                if mark[at] == position { continue }
                mark[at] = position
                switch code[at] {
                case .split(let a, let b):
                    stack.append(b)
                    stack.append(a)
                case .jump(let a): stack.append(a)
                case .save, .loopStart, .loopCheck: stack.append(at + 1)
                case .assert(let kind):
                    if Self.holds(kind, text, position) { stack.append(at + 1) }
                case .match: matched = true
                default: list.append(at)
                }
            }
        }
        for position in 0...text.count {
            if position & 0xFFF == 0xFFF { try context.checkInterrupts() }
            add(0, position, &current)
            if matched { return true }
            guard position < text.count else { break }
            let scalar = text[position]
            let folded = program.ignoresCase ? RegexProgram.lowered(scalar) : scalar
            next.removeAll(keepingCapacity: true)
            for at in current {
                let takes: Bool
                switch code[at] {
                case .character(let wanted): takes = wanted == folded
                case .any: takes = true
                case .anyButNewline: takes = scalar != 0x0A
                case .set(let index): takes = program.sets[index].contains(scalar)
                default: takes = false
                }
                if takes { add(at + 1, position + 1, &next) }
            }
            if matched { return true }
            swap(&current, &next)
            // States of the next position are marked already; the start is added at its turn.
        }
        return false
    }

    private static func holds(
        _ kind: RegexProgram.Assertion, _ text: [UInt32], _ position: Int
    ) -> Bool {
        switch kind {
        case .textStart: return position == 0
        case .textEnd: return position == text.count
        case .lineStart: return position == 0 || text[position - 1] == 0x0A
        case .lineEnd: return position == text.count || text[position] == 0x0A
        case .wordStart, .wordEnd, .wordEdge, .notWordEdge:
            let before = position > 0 && RegexProgram.isWord(text[position - 1])
            let after = position < text.count && RegexProgram.isWord(text[position])
            switch kind {
            case .wordStart: return !before && after
            case .wordEnd: return before && !after
            case .wordEdge: return before != after
            default: return before == after
            }
        }
    }

    // MARK: Backtracking

    /// Bounds of the groups of the leftmost match at or after `start`: pairs of positions, -1 for
    /// groups that took no part.
    func match(
        _ text: [UInt32], from start: Int, _ context: FunctionContext
    ) throws(SQLError) -> [Int]? {
        var steps = 0
        guard start <= text.count else { return nil }
        for position in start...text.count {
            if let groups = try Self.run(
                program, program, text, position, &steps, context, depth: 0)
            {
                return groups
            }
        }
        return nil
    }

    private enum Frame {
        case branch(pc: Int, position: Int)
        case group(Int, Int)
        case loop(Int, Int)
    }

    private static func run(
        _ program: RegexProgram, _ root: RegexProgram, _ text: [UInt32], _ start: Int,
        _ steps: inout Int, _ context: FunctionContext, depth: Int, endingAt end: Int? = nil
    ) throws(SQLError) -> [Int]? {
        guard depth < 32 else { throw RegexParser.invalid("regular expression is too complex") }
        var groups = [Int](repeating: -1, count: root.groupCount * 2)
        var loops = [Int](repeating: -1, count: max(root.loopCount, program.loopCount))
        var stack: [Frame] = []
        var pc = 0
        var position = start
        while true {
            steps += 1
            if steps & 0xFFFF == 0 { try context.checkInterrupts() }
            if steps > stepLimit { throw RegexParser.invalid("regular expression is too complex") }
            var failed = false
            switch program.code[pc] {
            case .character(let wanted):
                if position < text.count,
                    (root.ignoresCase ? RegexProgram.lowered(text[position]) : text[position])
                        == wanted
                {
                    position += 1
                    pc += 1
                } else {
                    failed = true
                }
            case .any:
                failed = position >= text.count
                position += 1
                pc += 1
            case .anyButNewline:
                failed = position >= text.count || text[position] == 0x0A
                position += 1
                pc += 1
            case .set(let index):
                failed = position >= text.count || !program.sets[index].contains(text[position])
                position += 1
                pc += 1
            case .split(let a, let b):
                stack.append(.branch(pc: b, position: position))
                pc = a
            case .jump(let a): pc = a
            case .save(let slot):
                stack.append(.group(slot, groups[slot]))
                groups[slot] = position
                pc += 1
            case .assert(let kind):
                failed = !holds(kind, text, position)
                pc += 1
            case .backReference(let number):
                let from = groups[number * 2]
                let to = groups[number * 2 + 1]
                if from < 0 || to < 0 || position + (to - from) > text.count {
                    failed = true
                } else {
                    for offset in 0..<(to - from) {
                        let x = text[from + offset]
                        let y = text[position + offset]
                        if x != y,
                            !root.ignoresCase
                                || RegexProgram.lowered(x) != RegexProgram.lowered(y)
                        {
                            failed = true
                            break
                        }
                    }
                    if !failed { position += to - from }
                }
                pc += 1
            case .look(let index, let isNegative, let isBehind):
                var found = false
                if isBehind {
                    var from = position
                    while from >= 0, !found {
                        found =
                            try run(
                                program.programs[index], root, text, from, &steps, context,
                                depth: depth + 1, endingAt: position) != nil
                        from -= 1
                    }
                } else {
                    found =
                        try run(
                            program.programs[index], root, text, position, &steps, context,
                            depth: depth + 1) != nil
                }
                failed = found == isNegative
                pc += 1
            case .loopStart(let loop):
                stack.append(.loop(loop, loops[loop]))
                loops[loop] = position
                pc += 1
            case .loopCheck(let loop):
                failed = loops[loop] == position
                pc += 1
            case .match:
                if let end, position != end {
                    failed = true
                } else {
                    return groups
                }
            }
            guard failed else { continue }
            var resumed = false
            while let frame = stack.popLast() {
                switch frame {
                case .group(let slot, let old): groups[slot] = old
                case .loop(let loop, let old): loops[loop] = old
                case .branch(let branch, let at):
                    pc = branch
                    position = at
                    resumed = true
                }
                if resumed { break }
            }
            if !resumed { return nil }
        }
    }
}

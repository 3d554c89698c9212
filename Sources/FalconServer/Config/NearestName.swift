/// Finds what a mistyped name was meant to be.
enum NearestName {
    /// The candidate with the smallest edit distance, when it is near enough to be a likely slip.
    static func find(_ name: String, in candidates: [String]) -> String? {
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let distance = editDistance(name, candidate)
            if distance < best?.distance ?? Int.max { best = (distance, candidate) }
        }
        guard let best, best.distance <= max(2, name.utf8.count / 3) else { return nil }
        return best.name
    }

    /// Edit distance in which swapping two neighbours counts once.
    static func editDistance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().utf8)
        let b = Array(b.lowercased().utf8)
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in 0..<b.count {
                let substitution = last[j] + (a[i] == b[j] ? 0 : 1)
                var cost = min(substitution, last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}

/// A buffer as a binary heap, the least element first.
extension Buffer where Element: Comparable {
    mutating func push(_ element: Element) {
        append(element)
        var index = count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard base[index] < base[parent] else { break }
            (base[index], base[parent]) = (base[parent], base[index])
            index = parent
        }
    }

    /// Takes the least element out; nil where there is none.
    mutating func popLeast() -> Element? {
        guard count > 0 else { return nil }
        let top = base[0]
        base[0] = base[count - 1]
        count -= 1
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < count && base[child] < base[least] {
                least = child
            }
            if least == index { return top }
            (base[index], base[least]) = (base[least], base[index])
            index = least
        }
    }
}

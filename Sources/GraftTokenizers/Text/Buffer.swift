/// Growable memory for trivial elements that is kept from call to call, so that encoding allocates
/// little.
///
/// Appending costs one comparison. Indices are the callers' to keep below `count`: they come from
/// this floor's own arithmetic on positions, never from a file.
struct Buffer<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int = 64) {
        self.capacity = max(capacity, 1)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// The elements; valid until the next change.
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

    subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return base[index]
        }
        set {
            assert(index >= 0 && index < count)
            base[index] = newValue
        }
    }

    /// Makes room for `extra` elements after the present ones.
    @inline(__always)
    mutating func reserve(_ extra: Int) {
        if capacity - count < extra { grow(extra) }
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        reserve(1)
        base[count] = element
        count += 1
    }

    /// Appends where `reserve` has made room.
    @inline(__always)
    mutating func appendReserved(_ element: Element) {
        assert(count < capacity)
        base[count] = element
        count += 1
    }

    mutating func append(_ source: UnsafePointer<Element>, count extra: Int) {
        reserve(extra)
        (base + count).update(from: source, count: extra)
        count += extra
    }

    /// Turns the order of the elements from `first` on around.
    mutating func reverse(from first: Int) {
        var (left, right) = (first, count - 1)
        while left < right {
            (base[left], base[right]) = (base[right], base[left])
            (left, right) = (left + 1, right - 1)
        }
    }

    /// Gives memory back that one very long text took.
    mutating func releaseIfLarger(than limit: Int) {
        count = 0
        guard capacity > limit else { return }
        base.deallocate()
        capacity = limit
        base = .allocate(capacity: limit)
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        memory.update(from: base, count: count)
        base.deallocate()
        base = memory
        capacity = larger
    }
}

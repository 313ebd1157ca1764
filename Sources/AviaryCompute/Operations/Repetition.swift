import AviaryGraph

extension Tile: GatheringOperation {
  func dimensions(_ input: [Int], _ output: [Int]) -> [Int] {
    repeats.indices.filter { repeats[$0] > 1 }
  }

  func table(_ dimension: Int, from size: Int, to count: Int) -> [Int] {
    (0..<count).map { $0 % size }
  }
}

extension Expand: GatheringOperation {
  func dimensions(_ input: [Int], _ output: [Int]) -> [Int] {
    let added = output.count - input.count
    return output.indices.filter { output[$0] != ($0 < added ? 1 : input[$0 - added]) }
  }

  func table(_ dimension: Int, from size: Int, to count: Int) -> [Int] {
    Array(repeating: 0, count: count)
  }
}

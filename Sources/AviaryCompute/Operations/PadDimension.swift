import AviaryGraph

extension PadDimension: GatheringOperation {
  var filling: Double { value }

  func dimensions(_ input: [Int], _ output: [Int]) -> [Int] { [dimension] }

  func table(_ dimension: Int, from size: Int, to count: Int) -> [Int] {
    (-before..<size + after).map { mode.source($0, size) }
  }
}

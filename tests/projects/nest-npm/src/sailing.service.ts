import { Injectable } from '@nestjs/common'

const sailings: Record<string, string[]> = { north: ['07:10', '12:30'], south: ['09:00'] }

@Injectable()
export class SailingService {
  harbours() {
    return Object.keys(sailings)
  }

  times(harbour: string): string[] | undefined {
    return sailings[harbour]
  }
}

import { Controller, Get, NotFoundException, Param } from '@nestjs/common'
import { SailingService } from './sailing.service'

@Controller('sailings')
export class SailingController {
  constructor(private readonly sailings: SailingService) {}

  @Get()
  all() {
    return this.sailings.harbours()
  }

  @Get(':harbour')
  one(@Param('harbour') harbour: string) {
    const times = this.sailings.times(harbour)
    if (times === undefined) throw new NotFoundException('no such harbour')
    return { harbour, times }
  }
}

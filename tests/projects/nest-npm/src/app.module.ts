import { Module } from '@nestjs/common'
import { SailingController } from './sailing.controller'
import { SailingService } from './sailing.service'

@Module({ controllers: [SailingController], providers: [SailingService] })
export class AppModule {}
